from warmstart.edge.makers.locomotion import make_noisy as make_noisy
from warmstart.edge.makers.make import MAKERS as MAKERS
from warmstart.edge.makers.make import data_root as data_root
from warmstart.edge.makers.make import dataset_for as dataset_for
from warmstart.edge.makers.make import make as make
from warmstart.edge.makers.point_mass import make_point_mass as make_point_mass
from warmstart.edge.makers.point_maze import make_point_maze as make_point_maze
from warmstart.edge.makers.roll import roll as roll
