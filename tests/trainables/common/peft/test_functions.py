import pytest
import torch

from tests.trainables.funlora import naive
from trainables.common.peft.functions import functional_matrix, initial_frequencies, initial_ponderations

KINDS = ["rshift", "power", "power_learned", "cosine", "cosine_learned"]


def drawn(p: int, rank: int, c_out: int = 6, c_in: int = 5) -> tuple[torch.Tensor, ...]:
    """A, B, lambda and positive omega in float64."""
    torch.manual_seed(10 * p + rank)
    a, b = torch.randn(c_out, rank).double(), torch.randn(rank, c_in).double()
    return a, b, torch.randn(p).double(), torch.rand(p).double() * 4 + 0.3


@pytest.mark.parametrize("functions", KINDS)
@pytest.mark.parametrize("p", [1, 3, 10])
@pytest.mark.parametrize("rank", [1, 2])
def test_a_functional_matrix_is_the_weighted_mean_of_its_functions_entry_by_entry(functions, p, rank) -> None:
    values = drawn(p, rank)
    torch.testing.assert_close(
        functional_matrix(functions, *values), naive.functional_matrix(functions, *values), atol=1e-12, rtol=1e-10
    )


def test_a_shift_moves_the_outer_product_down_and_to_the_right() -> None:
    a, b = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[1.0, 10.0, 100.0]])
    only_the_second = torch.tensor([0.0, 2.0])
    assert functional_matrix("rshift", a, b, only_the_second, torch.ones(2)).tolist() == [
        [300.0, 3.0, 30.0],
        [100.0, 1.0, 10.0],
        [200.0, 2.0, 20.0],
    ]


def test_more_shifts_than_channels_start_again_from_the_first() -> None:
    a, b, _, omega = drawn(7, 1, c_out=3, c_in=3)
    seventh, first = torch.zeros(7).double(), torch.zeros(7).double()
    seventh[6], first[0] = 1, 1
    assert torch.equal(
        functional_matrix("rshift", a, b, seventh, omega), functional_matrix("rshift", a, b, first, omega)
    )


def test_a_power_keeps_the_sign_of_the_product() -> None:
    a, b = torch.tensor([[-2.0], [3.0]]), torch.tensor([[1.0, -1.0, 0.0]])
    squares = functional_matrix("power", a, b, torch.ones(1), torch.tensor([2.0]))
    torch.testing.assert_close(squares, torch.tensor([[-4.0, 4.0, 0.0], [9.0, -9.0, 0.0]]))


@pytest.mark.parametrize(("p", "rank"), [(1, 1), (3, 1), (10, 1), (1, 2), (3, 2), (5, 2)])
def test_shifts_raise_the_rank_to_their_number_times_that_of_a_and_b(p, rank) -> None:
    matrix = functional_matrix("rshift", *drawn(p, rank, c_out=12, c_in=11))
    assert torch.linalg.matrix_rank(matrix) == p * rank


@pytest.mark.parametrize(("functions", "rank", "least"), [("power_learned", 2, 7), ("cosine_learned", 1, 7)])
def test_functions_of_entries_raise_the_rank_beyond_that_many(functions, rank, least) -> None:
    matrix = functional_matrix(functions, *drawn(3, rank, c_out=12, c_in=11))
    assert torch.linalg.matrix_rank(matrix) >= least


def test_powers_of_a_rank_one_product_raise_the_rank_to_their_number() -> None:
    assert torch.linalg.matrix_rank(functional_matrix("power", *drawn(4, 1, c_out=12, c_in=11))) == 4


@pytest.mark.parametrize("functions", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("p", [1, 10])
def test_gradients_are_finite_also_where_the_product_is_zero_or_negative(functions, dtype, p) -> None:
    a = torch.tensor([[0.0], [-1.5], [1e-20], [1.0], [2.0]], dtype=dtype, requires_grad=True)
    b = torch.tensor([[1.0, -1.0, 0.0, 1e-25, -2.0]], dtype=dtype, requires_grad=True)
    weight = torch.linspace(-1, 1, p).to(dtype).requires_grad_(True)
    omega = (initial_frequencies(p) - 0.6).to(dtype).requires_grad_(True)  # also below one: a steep power
    matrix = functional_matrix(functions, a, b, weight, omega)
    matrix.sum().backward()
    assert matrix.isfinite().all()
    assert all(value.grad.isfinite().all() for value in (a, b, weight))
    assert functions == "rshift" or omega.grad.isfinite().all()


@pytest.mark.parametrize("functions", KINDS)
@pytest.mark.parametrize("rank", [1, 2])
def test_gradients_are_those_of_finite_differences(functions, rank) -> None:
    a, b, weight, omega = drawn(3, rank, c_out=4, c_in=3)
    assert (a @ b).abs().min() > 1e-2  # a power has no second derivative at zero
    values = [value.requires_grad_(True) for value in (a, b, weight, omega)]
    assert torch.autograd.gradcheck(lambda *values: functional_matrix(functions, *values), values)


def test_frequencies_start_at_the_whole_numbers_from_one() -> None:
    assert initial_frequencies(4).tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("functions", KINDS)
@pytest.mark.parametrize("p", [1, 2, 3, 10, 25])
@pytest.mark.parametrize("start", [1.0, 0.0, -2.5])
def test_ponderations_start_where_f_is_a_constant_for_a_and_b_of_ones(functions, p, start) -> None:
    weight, omega = initial_ponderations(functions, p, start), initial_frequencies(p)
    matrix = functional_matrix(functions, torch.ones(30, 1), torch.ones(1, 28), weight, omega)
    torch.testing.assert_close(matrix, torch.full((30, 28), start), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("functions", KINDS)
@pytest.mark.parametrize("p", [1, 2, 3, 10, 25])
def test_the_first_ponderations_are_the_smallest_that_do_so(functions, p) -> None:
    one = torch.ones(1, 1).double()
    values = [
        naive.functional_matrix(functions, one, one, torch.eye(p).double()[i], torch.arange(1.0, p + 1))
        for i in range(p)
    ]
    smallest = torch.linalg.pinv(torch.cat(values, dim=1)) @ torch.tensor([0.7]).double()
    torch.testing.assert_close(initial_ponderations(functions, p, 0.7).double(), smallest, atol=1e-5, rtol=1e-5)


def test_nothing_is_added_at_first_with_ponderations_of_zero() -> None:
    assert initial_ponderations("cosine", 10, 0.0).tolist() == [0.0] * 10
