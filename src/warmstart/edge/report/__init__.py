"""The page that shows what a run did; see `write_report`."""

from warmstart.edge.report.page import write_report

__all__ = ["write_report"]
