"""Training: families compared on the same folds, the best learned again from all rows, tested once."""

from compagnon.stages.train.stage import TrainStage

__all__ = ["TrainStage"]
