"""A network that takes no time."""

import torch

from trainables.common.nets.settings import Backbone

TINY = Backbone(
    image_channels=1,
    image_side=8,
    channels=8,
    channel_mult=(1, 2),
    res_blocks=1,
    attention_resolutions=(4,),
    head_channels=8,
    norm_groups=4,
    dropout=0.1,
)
BASE_CLASSES = 2


def randomised(net: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """The network with no parameter left at zero or one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.3, generator=generator)
    return net
