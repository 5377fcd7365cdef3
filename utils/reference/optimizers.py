"""From a gradient to the next weights: nine update rules, each one pure step.

Every step takes w, its gradient dw of the same shape and the state that the step before
returned, a dict, None at the start; it returns the new w and the new state. float32 stays so.

Where authors differ we follow torch.optim, step for step; its defaults are named where ours are
those of the papers. Called v is the velocity, s the average of squares, t counts steps from 1.

Raises ValueError if w and dw differ in shape, lr or eps is negative, or a decay is outside [0, 1).
"""

import numpy as np


def sgd_step(w, dw, state, lr=0.01):
    """Gradient descent: straight downhill. "Stochastic" is the batch that dw comes from.

        w <- w - lr dw

    w, dw  : any shape
    state  : None or a dict, which stays empty
    lr     : float >= 0, the learning rate, in units of w per unit of dw
    returns: w, the shape of w; state
    source : Robbins and Monro, A Stochastic Approximation Method (1951)
    """
    _require_step(w, dw, lr)
    return w - lr * dw, {}


def momentum_step(w, dw, state, lr=0.01, beta=0.9):
    """A heavy ball: it keeps most of its speed, and slopes only bend its path.

        v <- beta v + dw,  w <- w - lr v

    On a constant slope v grows to dw / (1 - beta): beta = 0.9 is 10 times as fast in the end.
    The learning rate stands outside v, as in torch, not inside, as in the source: the two are
    equal as long as lr is constant.

    w, dw  : any shape
    state  : None or {"v": the shape of w}
    lr     : float >= 0
    beta   : float in [0, 1), what is left of the speed after a step; 0 is sgd_step
    returns: w, the shape of w; state
    source : Polyak, Some Methods of Speeding up the Convergence of Iteration Methods (1964)
    """
    _require_step(w, dw, lr, beta=beta)
    state = state or {"v": np.zeros_like(w)}
    v = beta * state["v"] + dw
    return w - lr * v, {"v": v}


def nesterov_step(w, dw, state, lr=0.01, beta=0.9):
    """Momentum that looks ahead: the slope is taken where the ball is about to be.

        v <- beta v + dw,  w <- w - lr (dw + beta v)

    The source takes the gradient at w - lr beta v and steps from w. Here w *is* that point
    ahead, so that dw can be taken at w, as for every other rule, and torch does the same.

    w, dw  : any shape
    state  : None or {"v": the shape of w}
    lr     : float >= 0
    beta   : float in [0, 1)
    returns: w, the shape of w; state
    source : Sutskever, Martens, Dahl and Hinton, On the Importance of Initialization and Momentum
             in Deep Learning (2013), after Nesterov (1983)
    """
    _require_step(w, dw, lr, beta=beta)
    state = state or {"v": np.zeros_like(w)}
    v = beta * state["v"] + dw
    return w - lr * (dw + beta * v), {"v": v}


def adagrad_step(w, dw, state, lr=0.01, eps=1e-8):
    """A rate for each weight, which falls the faster the steeper its slopes have been.

        s <- s + dw^2,  w <- w - lr dw / (sqrt(s) + eps)

    s only grows, so the steps die out like 1/sqrt(t), whether the minimum is near or not.

    w, dw  : any shape
    state  : None or {"s": the shape of w}
    lr     : float >= 0, the length of the first step
    eps    : float >= 0, in units of dw; torch's default is 1e-10
    returns: w, the shape of w; state
    source : Duchi, Hazan and Singer, Adaptive Subgradient Methods (2011)
    """
    _require_step(w, dw, lr, eps)
    state = state or {"s": np.zeros_like(w)}
    s = state["s"] + dw * dw
    return w - lr * dw / (np.sqrt(s) + eps), {"s": s}


def rmsprop_step(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
    """AdaGrad that forgets: an average of the last 1/(1 - rho) squares or so, not their sum.

        s <- rho s + (1 - rho) dw^2,  w <- w - lr dw / (sqrt(s) + eps)

    w, dw  : any shape
    state  : None or {"s": the shape of w}
    lr     : float >= 0; torch's default is 0.01
    rho    : float in [0, 1); torch's alpha, whose default is 0.99
    eps    : float >= 0, outside the root as in torch; some texts have it inside
    returns: w, the shape of w; state
    source : Tieleman and Hinton, Coursera, Neural Networks for Machine Learning, 6.5 (2012)
    """
    _require_step(w, dw, lr, eps, rho=rho)
    state = state or {"s": np.zeros_like(w)}
    s = rho * state["s"] + (1 - rho) * dw * dw
    return w - lr * dw / (np.sqrt(s) + eps), {"s": s}


def adadelta_step(w, dw, state, lr=1.0, rho=0.9, eps=1e-6):
    """RMSProp that finds its rate itself: the size of its own last steps.

        s <- rho s + (1 - rho) dw^2
        delta = sqrt(u + eps) / sqrt(s + eps) dw,  w <- w - lr delta
        u <- rho u + (1 - rho) delta^2

    delta has the unit of w, where lr dw of the other rules has the unit of 1/w. It starts small,
    at sqrt(eps), and has to warm up.

    w, dw  : any shape
    state  : None or {"s", "u": the shape of w}
    lr     : float >= 0; 1 is the source's rule, which has none
    rho    : float in [0, 1)
    eps    : float >= 0, inside both roots; with 0 nothing would ever move
    returns: w, the shape of w; state
    source : Zeiler, ADADELTA: An Adaptive Learning Rate Method (2012)
    """
    _require_step(w, dw, lr, eps, rho=rho)
    state = state or {"s": np.zeros_like(w), "u": np.zeros_like(w)}
    s = rho * state["s"] + (1 - rho) * dw * dw
    delta = np.sqrt(state["u"] + eps) / np.sqrt(s + eps) * dw
    u = rho * state["u"] + (1 - rho) * delta * delta
    return w - lr * delta, {"s": s, "u": u}


def adam_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, correct_bias=True):
    """Momentum on top, RMSProp below, and both freed from having started at zero.

        v <- beta1 v + (1 - beta1) dw,    s <- beta2 s + (1 - beta2) dw^2
        v_hat = v / (1 - beta1^t),        s_hat = s / (1 - beta2^t)
        w <- w - lr v_hat / (sqrt(s_hat) + eps)

    v_hat and s_hat are true averages: after t steps the factors (1 - beta) beta^i sum to
    1 - beta^t only. The first step has length lr; without the correction it is
    (1 - beta1) / sqrt(1 - beta2) = 3.16 times as long.

    w, dw       : any shape
    state       : None or {"v", "s": the shape of w; "t": int}
    lr          : float >= 0, about the length of a step in each weight
    beta1, beta2: floats in [0, 1)
    eps         : float >= 0, in units of dw
    correct_bias: bool; False uses v and s as they are, to see why one should not
    returns     : w, the shape of w; state
    source      : Kingma and Ba, Adam: A Method for Stochastic Optimization (2015), algorithm 1
    """
    _require_step(w, dw, lr, eps, beta1=beta1, beta2=beta2)
    state = state or {"v": np.zeros_like(w), "s": np.zeros_like(w), "t": 0}
    t = state["t"] + 1
    v = beta1 * state["v"] + (1 - beta1) * dw
    s = beta2 * state["s"] + (1 - beta2) * dw * dw
    v_hat, s_hat = (v / (1 - beta1**t), s / (1 - beta2**t)) if correct_bias else (v, s)
    return w - lr * v_hat / (np.sqrt(s_hat) + eps), {"v": v, "s": s, "t": t}


def adamw_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    """Adam, and a decay of the weights that Adam's denominators do not get to see.

        w <- (1 - lr weight_decay) w,  then adam_step

    A penalty weight_decay/2 |w|^2 inside the loss would be divided by sqrt(s_hat) like any
    gradient: weights with steep slopes would hardly decay. For sgd_step the two are the same.

    w, dw       : any shape
    state       : as adam_step's
    weight_decay: float >= 0, per step and unit of lr
    returns     : w, the shape of w; state
    raises      : ValueError, also if weight_decay is negative
    source      : Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019); the decay
                  is multiplied by lr here, as in torch
    """
    if not weight_decay >= 0:
        raise ValueError(f"weight_decay must be at least 0, got {weight_decay}")
    decayed = (1 - lr * weight_decay) * w
    return adam_step(decayed, dw, state, lr, beta1, beta2, eps)


def nadam_step(w, dw, state, lr=0.002, beta1=0.9, beta2=0.999, eps=1e-8, momentum_decay=0.004):
    """Adam with Nesterov's look ahead, and a beta1 that warms up from a half of itself.

        mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2),  M_t = mu_1 mu_2 ... mu_t
        v <- beta1 v + (1 - beta1) dw,    s <- beta2 s + (1 - beta2) dw^2
        v_hat = mu_{t+1} v / (1 - M_{t+1}) + (1 - mu_t) dw / (1 - M_t)
        w <- w - lr v_hat / (sqrt(s_hat) + eps),  s_hat = s / (1 - beta2^t)

    w, dw         : any shape
    state         : None or {"v", "s": the shape of w; "t": int; "M": float}
    lr            : float >= 0
    beta1, beta2  : floats in [0, 1)
    eps           : float >= 0, in units of dw
    momentum_decay: float >= 0, how fast mu comes up to beta1
    returns       : w, the shape of w; state
    raises        : ValueError, also if momentum_decay is negative
    source        : Dozat, Incorporating Nesterov Momentum into Adam (2016); v is averaged with
                    beta1 here, with mu_t there, and torch does as we do; only its M is float32
                    unless torch's default dtype is float64, and its w off by some 1e-10
    """
    _require_step(w, dw, lr, eps, beta1=beta1, beta2=beta2)
    if not momentum_decay >= 0:
        raise ValueError(f"momentum_decay must be at least 0, got {momentum_decay}")
    state = state or {"v": np.zeros_like(w), "s": np.zeros_like(w), "t": 0, "M": 1.0}
    t = state["t"] + 1
    mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (i * momentum_decay)) for i in (t, t + 1))
    M = state["M"] * mu
    v = beta1 * state["v"] + (1 - beta1) * dw
    s = beta2 * state["s"] + (1 - beta2) * dw * dw
    v_hat = mu_next / (1 - M * mu_next) * v + (1 - mu) / (1 - M) * dw
    s_hat = s / (1 - beta2**t)
    return w - lr * v_hat / (np.sqrt(s_hat) + eps), {"v": v, "s": s, "t": t, "M": M}


def clip_by_norm(gradients, max_norm):
    """Shorten a gradient that is too long; its direction stays.

        norm = sqrt(sum of the squares of all entries of all gradients)
        g <- g min(1, max_norm / norm)

    The norm is that of all gradients together, or they would no longer point downhill.

    gradients: dict of arrays, by the names of the weights
    max_norm : float > 0
    returns  : gradients, a new dict; norm, float, as it was before
    raises   : ValueError, if max_norm is not positive
    source   : Pascanu, Mikolov and Bengio, On the Difficulty of Training Recurrent Neural
               Networks (2013), algorithm 1; torch divides by norm + 1e-6 and ends a little short
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, got {max_norm}")
    norm = float(np.sqrt(sum((g * g).sum() for g in gradients.values())))
    shrink = 1.0 if norm <= max_norm else max_norm / norm  # a nan spreads
    return {name: shrink * g for name, g in gradients.items()}, norm


def clip_by_value(gradients, limit):
    """Cut every entry of every gradient off at +-limit. The direction may change.

    gradients: dict of arrays, by the names of the weights
    limit    : float > 0
    returns  : gradients, a new dict; a nan stays nan
    raises   : ValueError, if limit is not positive
    """
    if not limit > 0:
        raise ValueError(f"limit must be positive, got {limit}")
    return {name: np.clip(g, -limit, limit) for name, g in gradients.items()}


def _require_step(w, dw, lr, eps=0.0, **decays):
    if np.shape(w) != np.shape(dw):
        raise ValueError(f"w and dw must have one shape, got {np.shape(w)} and {np.shape(dw)}")
    for name, value in {"lr": lr, "eps": eps}.items():
        if not value >= 0:
            raise ValueError(f"{name} must be at least 0, got {value}")
    for name, value in decays.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name} must lie in [0, 1), got {value}")
