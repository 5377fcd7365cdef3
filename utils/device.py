"""Which device runs, and how to say so."""

import torch


def pick_device():
    """The first CUDA device where there is one, else the CPU.

    Apple's MPS is passed over: it has no float64, in which the course checks its gradients.
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def describe_device(device):
    """One line for a reader, for example "cuda: NVIDIA H200, 140 GiB" or "cpu: 2 threads".

    device : torch.device, or a str that names one
    raises : ValueError, if it is neither a CPU nor a CUDA device
    """
    device = torch.device(device)
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{device}: {properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"{device}: {threads} thread{'s' if threads > 1 else ''}"
    raise ValueError(f"device must be a cpu or a cuda device, got {device}")
