from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sweeper import Number


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trunk(Settings):
    steps: int = Field(description="links of the chain", ge=1)
    pause: float = Field(description="seconds per link", ge=0)


class Branch(Settings):
    kind: Literal["plus", "minus", "bad", "nan"] = Field(description="what the branch does")
    size: int = Field(description="how much", ge=0, le=10)


class Config(Settings):
    seed: int = Field(description="seed", ge=0)
    trunk: Trunk
    branch: Branch
    remark: str = Field(description="what no stage is given")


FACTS = {"cost": Number("what a branch costs")}

METRICS = {
    "score": Number("the sum of the branches", "higher"),
    "beauty": Number("what no run here measures"),
    "charm": Number("what no stage reports"),
}

PARTS = {"grow": "the chain", "branches": "what is bent off the chain, and the sum"}

PRESETS = {
    "small": Config(seed=0, trunk=Trunk(steps=5, pause=0.0), branch=Branch(kind="plus", size=1), remark="nothing"),
    "slow": Config(seed=0, trunk=Trunk(steps=40, pause=0.02), branch=Branch(kind="plus", size=1), remark="nothing"),
}
