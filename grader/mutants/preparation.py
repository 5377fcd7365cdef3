"""Wrong answers on scaling and whitening."""

import numpy as np

from grader.mutants import mutant


@mutant("standardize", says="leak")
def standardize_leak(x_train, x):
    """The statistics of the test data."""
    deviation = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(deviation == 0, 1, deviation)


@mutant("standardize", says="the mean is that of x")
def standardize_half_leak(x_train, x):
    """The mean of one, the deviation of the other."""
    return (x - x.mean(axis=0)) / x_train.std(axis=0)


@mutant("standardize", says="ddof=1")
def standardize_ddof(x_train, x):
    """N - 1."""
    return (x - x_train.mean(axis=0)) / x_train.std(axis=0, ddof=1)


@mutant("standardize", says="do not divide by it")
def standardize_by_zero(x_train, x):
    """A constant feature becomes nan."""
    return (x - x_train.mean(axis=0)) / x_train.std(axis=0)


@mutant("standardize", says="each column has its own")
def standardize_one_mean(x_train, x):
    """axis forgotten."""
    return (x - x_train.mean()) / x_train.std()


@mutant("standardize", says="divided by the variance")
def standardize_by_variance(x_train, x):
    """Root forgotten."""
    return (x - x_train.mean(axis=0)) / x_train.var(axis=0)


@mutant("standardize", says="not scaled")
def standardize_centered_only(x_train, x):
    """Half of it."""
    return x - x_train.mean(axis=0)


@mutant("standardize", says="minimum and maximum")
def standardize_min_max(x_train, x):
    """Another scaling."""
    low, high = x_train.min(axis=0), x_train.max(axis=0)
    return (x - low) / (high - low)


@mutant("standardize", says="in place")
def standardize_in_place(x_train, x):
    """-= and /= change the caller's x."""
    deviation = x_train.std(axis=0)
    deviation[deviation == 0] = 1
    x -= x_train.mean(axis=0)
    x /= deviation
    return x


@mutant("standardize", says="nor something tiny in its place")
def standardize_eps(x_train, x):
    """Hides the division by 0 until a test set comes."""
    return (x - x_train.mean(axis=0)) / np.sqrt(x_train.var(axis=0) + 1e-8)


@mutant("standardize", says="any deviation that is not 0")
def standardize_threshold(x_train, x):
    """Takes for constant what is measured in a large unit."""
    deviation = x_train.std(axis=0)
    return (x - x_train.mean(axis=0)) / np.where(deviation < 1e-5, 1, deviation)


@mutant("standardize", says="far too large")
def standardize_nan_to_num(x_train, x):
    """0/0 becomes 0, and 1/0 something enormous."""
    return np.nan_to_num((x - x_train.mean(axis=0)) / x_train.std(axis=0))


@mutant("standardize", says="mind the parentheses")
def standardize_parentheses(x_train, x):
    """x - mean / deviation."""
    deviation = x_train.std(axis=0)
    return x - x_train.mean(axis=0) / np.where(deviation == 0, 1, deviation)


@mutant("standardize", says="right, but slow")
def standardize_by_column(x_train, x):
    """A loop over the features."""
    scaled = np.zeros(x.shape)
    for j in range(x.shape[1]):
        deviation = x_train[:, j].std()
        scaled[:, j] = (x[:, j] - x_train[:, j].mean()) / (deviation if deviation else 1)
    return scaled


@mutant("whiten", says="only decorrelated")
def whiten_rotated_only(x_train, x, eps=1e-5):
    """No division."""
    mean = x_train.mean(axis=0)
    cov = (x_train - mean).T @ (x_train - mean) / len(x_train)
    return (x - mean) @ np.linalg.eigh(cov)[1]


@mutant("whiten", says="the root is missing")
def whiten_by_variance(x_train, x, eps=1e-5):
    """Root forgotten."""
    mean = x_train.mean(axis=0)
    cov = (x_train - mean).T @ (x_train - mean) / len(x_train)
    variances, axes = np.linalg.eigh(cov)
    return (x - mean) @ axes / (variances + eps)


@mutant("whiten", says="x is not centered")
def whiten_uncentered(x_train, x, eps=1e-5):
    """x keeps its mean."""
    mean = x_train.mean(axis=0)
    cov = (x_train - mean).T @ (x_train - mean) / len(x_train)
    variances, axes = np.linalg.eigh(cov)
    return x @ axes / np.sqrt(variances + eps)


@mutant("whiten", says="x_train is not centered")
def whiten_second_moment(x_train, x, eps=1e-5):
    """The second moment for the covariance."""
    variances, axes = np.linalg.eigh(x_train.T @ x_train / len(x_train))
    return (x - x_train.mean(axis=0)) @ axes / np.sqrt(variances + eps)


@mutant("whiten", says="rotated the wrong way")
def whiten_transposed(x_train, x, eps=1e-5):
    """V^T for V."""
    mean = x_train.mean(axis=0)
    cov = (x_train - mean).T @ (x_train - mean) / len(x_train)
    variances, axes = np.linalg.eigh(cov)
    return (x - mean) @ axes.T / np.sqrt(variances + eps)


@mutant("whiten", says="divides by N - 1")
def whiten_np_cov(x_train, x, eps=1e-5):
    """np.cov divides by N - 1."""
    variances, axes = np.linalg.eigh(np.atleast_2d(np.cov(x_train.T)))
    return (x - x_train.mean(axis=0)) @ axes / np.sqrt(variances + eps)


@mutant("whiten", says="ZCA")
def whiten_zca(x_train, x, eps=1e-5):
    """Rotated back."""
    mean = x_train.mean(axis=0)
    cov = (x_train - mean).T @ (x_train - mean) / len(x_train)
    variances, axes = np.linalg.eigh(cov)
    return (x - mean) @ axes / np.sqrt(variances + eps) @ axes.T


@mutant("whiten", says="leak")
def whiten_leak(x_train, x, eps=1e-5):
    """Centered with the mean of the test data."""
    mean = x_train.mean(axis=0)
    cov = (x_train - mean).T @ (x_train - mean) / len(x_train)
    variances, axes = np.linalg.eigh(cov)
    return (x - x.mean(axis=0)) @ axes / np.sqrt(variances + eps)


@mutant("whiten", says="eps is forgotten")
def whiten_without_eps(x_train, x, eps=1e-5):
    """Nothing saves an axis without variance."""
    mean = x_train.mean(axis=0)
    cov = (x_train - mean).T @ (x_train - mean) / len(x_train)
    variances, axes = np.linalg.eigh(cov)
    return (x - mean) @ axes / np.sqrt(variances)


@mutant("whiten", says="only standardized")
def whiten_standardized(x_train, x, eps=1e-5):
    """No rotation at all."""
    return (x - x_train.mean(axis=0)) / np.sqrt(x_train.var(axis=0) + eps)


@mutant("whiten", says="not in the same order")
def whiten_half_sorted(x_train, x, eps=1e-5):
    """The eigenvalues sorted, the eigenvectors not."""
    mean = x_train.mean(axis=0)
    cov = (x_train - mean).T @ (x_train - mean) / len(x_train)
    variances, axes = np.linalg.eigh(cov)
    return (x - mean) @ axes / np.sqrt(variances[::-1] + eps)


@mutant("whiten", says="do not square them")
def whiten_svd_of_covariance(x_train, x, eps=1e-5):
    """The singular values of the covariance, taken for those of the data."""
    mean = x_train.mean(axis=0)
    cov = (x_train - mean).T @ (x_train - mean) / len(x_train)
    axes, singular, _ = np.linalg.svd(cov)
    return (x - mean) @ axes / np.sqrt(singular**2 + eps)


@mutant("whiten", says="Cholesky")
def whiten_cholesky(x_train, x, eps=1e-5):
    """White too, on other axes."""
    mean = x_train.mean(axis=0)
    cov = (x_train - mean).T @ (x_train - mean) / len(x_train)
    precision = np.linalg.inv(cov + (eps + 1e-12) * np.eye(len(cov)))
    return (x - mean) @ np.linalg.cholesky(precision)


@mutant("whiten", says="the default of eps")
def whiten_other_default(x_train, x, eps=1e-8):
    """Another default."""
    mean = x_train.mean(axis=0)
    cov = (x_train - mean).T @ (x_train - mean) / len(x_train)
    variances, axes = np.linalg.eigh(cov)
    return (x - mean) @ axes / np.sqrt(np.maximum(variances, 0) + eps)


mutant("scaling_leak", says="no label was used")("a")
mutant("scaling_leak", says="different amounts")("c")
mutant("scaling_leak", says="unscaled ones")("d")
