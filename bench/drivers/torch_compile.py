"""PyTorch with torch.compile (inductor) over forward and loss, which compiles the backward too. Needs a C++ compiler."""

import torch
from torch_eager import measure

if __name__ == "__main__":
    measure(lambda loss_of: torch.compile(loss_of, dynamic=False))
