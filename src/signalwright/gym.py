"""Gymnasium and PettingZoo environments; needs the extra `signalwright[gym]`. See `experiments/gym.py`."""

from .experiments.gym import LightEnv, StreetEnv, queue_reward
from .experiments.observation import Observation, Policy

__all__ = ["LightEnv", "Observation", "Policy", "StreetEnv", "queue_reward"]
