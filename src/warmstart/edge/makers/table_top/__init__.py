from warmstart.edge.makers.table_top.streams import make_table_top as make_table_top
