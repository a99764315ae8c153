from warmstart.data.makers.table_top.labels import relabel as relabel
from warmstart.data.makers.table_top.labels import same_streams as same_streams
from warmstart.data.makers.table_top.streams import make_table_top as make_table_top
