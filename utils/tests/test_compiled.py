"""The twins that train compile whole, and let the CPU run ahead of the GPU."""

import pytest
import torch
from torch._dynamo.testing import CompileCounter

from utils.gpu import (
    attention,
    convolution,
    gpt,
    losses,
    mlp,
    neighbors,
    normalization,
    optimizers,
    pooling,
    recurrent,
    sampling,
)

STEPS = [
    step for name, step in vars(optimizers).items() if name[0] != "_" and name.endswith("_step")
]


@pytest.fixture(autouse=True)
def fresh():
    torch.compiler.reset()


def calls(device):
    """{name: function of nothing}, at toy sizes."""
    generator = torch.Generator(device).manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, device=device, requires_grad=True)

    q, x, h, c = draw(2, 2, 5, 4), draw(2, 5, 3), draw(2, 4), draw(2, 4)
    w_x, w_h, b, gamma = draw(3, 16), draw(4, 16), draw(16), draw(3)
    images, filters = draw(2, 3, 6, 6), draw(3, 3, 3, 3)
    labels = torch.zeros(2, dtype=torch.int64, device=device)
    tokens = torch.zeros(2, 5, dtype=torch.int64, device=device)
    mask = torch.ones(5, 5, dtype=torch.bool, device=device).tril()
    params = gpt.gpt_init(11, 5, 4, 1, generator)
    layers = [(draw(3, 4), draw(4)), (draw(4, 5), draw(5))]
    return {
        "attention": lambda: attention.attention_forward(q, q, q, causal=True),
        "attention, masked": lambda: attention.attention_forward(q, q, q, mask, causal=True),
        "attention weights": lambda: attention.attention_weights(q, q, mask),
        "rnn": lambda: recurrent.rnn_step_forward(x[:, 0], h, w_x[:, :4], w_h[:, :4], b[:4]),
        "lstm": lambda: recurrent.lstm_step_forward(x[:, 0], h, c, w_x, w_h, b),
        "gru": lambda: recurrent.gru_step_forward(
            x[:, 0], h, w_x[:, :12], w_h[:, :12], b[:12], b[:12]
        ),
        "batch norm": lambda: normalization.batch_norm_forward(images, gamma, gamma),
        "layer norm": lambda: normalization.layer_norm_forward(x, gamma, gamma),
        "convolution": lambda: convolution.conv2d_forward(images, filters, gamma, padding=1),
        "max pooling": lambda: pooling.max_pool2d_forward(images, 2),
        "cross-entropy": lambda: losses.softmax_cross_entropy(h, labels),
        "sequence loss": lambda: losses.sequence_cross_entropy(x, tokens, tokens == 0),
        "mlp": lambda: mlp.mlp_loss(x[:, 0], labels, layers),
        "clipping": lambda: optimizers.clip_by_norm({"w": w_x, "b": b}, 1.0),
        "gpt": lambda: gpt.gpt_loss(tokens, tokens, params, 2),
        "gpt, masked": lambda: gpt.gpt_loss(tokens, tokens, params, 2, tokens == 0),
        "distances": lambda: neighbors.l2_distances(h, c),
        "top k": lambda: sampling.keep_top_k(h, 2),
    }


NAMES = list(calls("cpu"))


@pytest.mark.parametrize("name", NAMES)
def test_compiles_in_one_graph(name):
    function = calls("cpu")[name]
    made, want = torch.compile(function, backend="eager", fullgraph=True)(), function()
    torch.testing.assert_close(made, want)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU to wait for")
def test_the_cpu_does_not_wait():
    for name, function in calls("cuda").items():
        torch.cuda.set_sync_debug_mode("error")
        try:
            function()
        except RuntimeError as error:
            raise AssertionError(f"{name} makes the CPU wait") from error
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_step_is_not_compiled_again_and_again(step):
    """Without state, with t = 1, and for any t and lr: three times at most, then never more."""
    counter = CompileCounter()
    compiled = torch.compile(step, backend=counter, fullgraph=True)
    w, dw, states = torch.linspace(-1, 1, 5), torch.linspace(0.5, 2, 5), [None, None]
    ours = want = w
    for t in range(6):
        ours, states[0] = compiled(ours, dw, states[0], lr=0.1 / (t + 1))
        want, states[1] = step(want, dw, states[1], lr=0.1 / (t + 1))
    torch.testing.assert_close(ours, want)
    assert counter.frame_count <= 3
