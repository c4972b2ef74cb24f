"""PyTorch with torch.compile (inductor) over forward and loss, which compiles the backward too. Needs a C++ compiler."""

import torch
from torch_eager import measure

if __name__ == "__main__":
    measure(lambda compute: torch.compile(compute, dynamic=False))
