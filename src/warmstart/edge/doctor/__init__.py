from warmstart.edge.doctor.catalogue import ILLNESSES as ILLNESSES
from warmstart.edge.doctor.catalogue import Illness as Illness
from warmstart.edge.doctor.examine import Report as Report
from warmstart.edge.doctor.examine import check_ignored as check_ignored
from warmstart.edge.doctor.examine import examine as examine
from warmstart.edge.doctor.examine import require_clean as require_clean
from warmstart.edge.doctor.finding import Finding as Finding
