"""The page that shows what a run did; see `page.write_report`."""
