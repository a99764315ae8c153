"""Networks. Array leaves only, stacked ensembles, described by plain specs."""

from warmstart.nets.critics import EnsembleCritic as EnsembleCritic
from warmstart.nets.critics import Value as Value
from warmstart.nets.dynamics import Dynamics as Dynamics
from warmstart.nets.dynamics import DynamicsSpec as DynamicsSpec
from warmstart.nets.flows import DistilledPolicy as DistilledPolicy
from warmstart.nets.flows import DistilledPolicySpec as DistilledPolicySpec
from warmstart.nets.flows import FlowPolicy as FlowPolicy
from warmstart.nets.flows import FlowPolicySpec as FlowPolicySpec
from warmstart.nets.linear import LayerNorm as LayerNorm
from warmstart.nets.linear import Linear as Linear
from warmstart.nets.linear import layer_norm as layer_norm
from warmstart.nets.linear import linear as linear
from warmstart.nets.mlp import MLP as MLP
from warmstart.nets.mlp import mlp as mlp
from warmstart.nets.policies import DeterministicPolicy as DeterministicPolicy
from warmstart.nets.policies import GaussianPolicy as GaussianPolicy
from warmstart.nets.simba import SimBa as SimBa
from warmstart.nets.simba import simba as simba
from warmstart.nets.spec import CriticSpec as CriticSpec
from warmstart.nets.spec import NetSpec as NetSpec
from warmstart.nets.spec import PolicySpec as PolicySpec
from warmstart.nets.spec import ValueSpec as ValueSpec
