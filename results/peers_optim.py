"""Optimisers that choose their own step, for peers.py; each as in its paper, with the paper's constants.

All work on a list of parameters `w` and take steps by `step(loss)`, where loss() computes the loss f of the batch at the
present parameters.  g is its gradient, |.| the Euclidean norm over all parameters together.
"""
import contextlib

import torch


def squared_norm(tensors):
    return sum(torch.dot(t.reshape(-1), t.reshape(-1)).item() for t in tensors)


class Optimiser:
    """What they share.  A subclass has update(gradient, value, loss), called without recording gradients."""

    def __init__(self, parameters):
        self.parameters = list(parameters)

    def step(self, loss):
        """One step on the batch; return its loss before the step."""
        value = loss()
        gradient = torch.autograd.grad(value, self.parameters)
        with torch.no_grad():
            self.update(gradient, value.item(), loss)
        return value.item()

    def descend(self, gradient, rate):
        """w <- w - rate g"""
        for w, g in zip(self.parameters, gradient):
            w.sub_(g, alpha=rate)

    @contextlib.contextmanager
    def evaluated(self):
        """Inside, the parameters are those to evaluate."""
        yield


class Rule(Optimiser):
    """An update rule of PyTorch: Rule(parameters, torch.optim.Adam, lr=1e-3)."""

    def __init__(self, parameters, rule, **settings):
        super().__init__(parameters)
        self.rule = rule(self.parameters, **settings)

    def update(self, gradient, value, loss):
        for w, g in zip(self.parameters, gradient):
            w.grad = g
        self.rule.step()


class Armijo(Optimiser):
    """Stochastic line search (Vaswani et al. 2019, algorithm 1, reset option 1).

    The first eta of  min(10, 2^share eta_before) beta^k, k = 0, 1, ...  (eta_before = 1 at first) with
        f(w - eta g) <= f(w) - c eta |g|^2,    c = 0.1, beta = 0.9,
    f being the loss of the same batch, and `share` the part of the training set that is in a batch.  Where none of 100
    does, which only rounding brings about, w and eta stay."""

    TRIALS = 100

    def __init__(self, parameters, share, c=0.1, beta=0.9, growth=2, most=10):
        super().__init__(parameters)
        self.c, self.beta, self.most = c, beta, most
        self.growth = growth**share
        self.rate = 1.0

    def update(self, gradient, value, loss):
        start = [w.clone() for w in self.parameters]
        slope = squared_norm(gradient)
        rate = min(self.most, self.growth * self.rate)
        for _ in range(self.TRIALS):
            for w, w0, g in zip(self.parameters, start, gradient):
                torch.sub(w0, g, alpha=rate, out=w)
            if loss().item() <= value - self.c * rate * slope:
                self.rate = rate
                return
            rate *= self.beta
        for w, w0 in zip(self.parameters, start):
            w.copy_(w0)


class Polyak(Optimiser):
    """Stochastic Polyak steps, SPS_max with a smoothed maximum (Loizou et al. 2021, section 4).

        eta = min(f(w) / (c |g|^2), 2^share eta_before),    c = 0.2, eta_before = 1 at first;

    the least value of f, which the paper subtracts, is 0 for the cross-entropy without regularisation."""

    def __init__(self, parameters, share, c=0.2, growth=2):
        super().__init__(parameters)
        self.c = c
        self.growth = growth**share
        self.rate = 1.0

    def update(self, gradient, value, loss):
        slope = squared_norm(gradient)
        if slope > 0:
            self.rate = min(value / (self.c * slope), self.growth * self.rate)
            self.descend(gradient, self.rate)


class Cocob(Optimiser):
    """COCOB-Backprop (Orabona & Tommasi 2017, algorithm 2): bets on the sign of each coordinate's gradient.

    For each coordinate, with w1 its start, alpha = 100:
        L <- max(L, |g|)    G <- G + |g|    R <- max(R - (w - w1) g, 0)    theta <- theta - g
        w <- w1 + theta / (L max(G + L, alpha L)) (L + R)
    All start at 0, but L, at 1e-8: a coordinate that never had a gradient stays."""

    def __init__(self, parameters, alpha=100):
        super().__init__(parameters)
        self.alpha = alpha
        self.state = []
        for w in self.parameters:
            zeros = [torch.zeros_like(w, requires_grad=False) for _ in range(3)]
            self.state.append((w.detach().clone(), torch.full_like(w, 1e-8, requires_grad=False), *zeros))

    def update(self, gradient, value, loss):
        for w, g, (first, largest, total, reward, theta) in zip(self.parameters, gradient, self.state):
            size = g.abs()
            torch.maximum(largest, size, out=largest)
            total.add_(size)
            reward.addcmul_(w - first, g, value=-1).clamp_(min=0)
            theta.sub_(g)
            scale = torch.maximum(total + largest, self.alpha * largest).mul_(largest)
            torch.add(largest, reward, out=w).mul_(theta).div_(scale).add_(first)


class Dog(Optimiser):
    """DoG, distance over gradients (Ivgi et al. 2023), evaluated at averaged weights.

        eta_t = max(r, max over i <= t of |w_i - w_0|) / sqrt(sum over i <= t of |g_i|^2 + 1e-8),  r = 1e-6 (1 + |w_0|)
    Averages, polynomial decay, gamma = 8:  a_t = (1 - q) a_(t-1) + q w_t,  q = (gamma + 1) / (gamma + t),  t from 1 on."""

    def __init__(self, parameters, relative=1e-6, gamma=8):
        super().__init__(parameters)
        self.start = [w.detach().clone() for w in self.parameters]
        self.averages = [w.clone() for w in self.start]
        self.distance = relative * (1 + squared_norm(self.start) ** 0.5)
        self.squares = 1e-8
        self.gamma = gamma
        self.steps = 0

    def update(self, gradient, value, loss):
        moved = sum(torch.dist(w, w0).item() ** 2 for w, w0 in zip(self.parameters, self.start)) ** 0.5
        self.distance = max(self.distance, moved)
        self.squares += squared_norm(gradient)
        self.descend(gradient, self.distance / self.squares**0.5)
        self.steps += 1
        for average, w in zip(self.averages, self.parameters):
            average.lerp_(w, (self.gamma + 1) / (self.gamma + self.steps))

    @contextlib.contextmanager
    def evaluated(self):
        self.swap()
        yield
        self.swap()

    def swap(self):
        for average, w in zip(self.averages, self.parameters):
            w.data, average.data = average.data, w.data
