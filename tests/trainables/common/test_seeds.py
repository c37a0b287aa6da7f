from itertools import product

import torch

from trainables.common.seeds import stream_seed


def test_a_stream_keeps_its_seed_in_every_release() -> None:
    assert stream_seed(0, "base") == 1_093_294_046_258_695_152
    assert stream_seed(3, "samples", 17, 2) == 8_502_086_518_457_602_888


def test_seeds_purposes_classes_and_chunks_have_streams_of_their_own() -> None:
    about = list(product(range(3), ["adapter", "samples"], range(20), range(5)))
    assert len({stream_seed(*each) for each in about}) == len(about)
    alike = [(0, "samples", 1, 11), (0, "samples", 11, 1), (0, "samples", 111), (0, "samples", "1", 11)]
    assert len({stream_seed(*each) for each in alike}) == 4


def test_every_seed_is_one_that_torch_takes() -> None:
    seeds = [stream_seed(seed, "base") for seed in range(200)]
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert torch.Generator().manual_seed(max(seeds)).initial_seed() == max(seeds)
