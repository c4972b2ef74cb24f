"""PyTorch: the whole learning-rate-decay lecture as its notebook writes it: two runs (StepLR and a static rate) of 20
epochs, each batch through a DataLoader, accuracy and loss recorded, the test set evaluated after every epoch."""

import time

import numpy as np
import torch
from peer import answer, request
from torch.utils.data import DataLoader, TensorDataset


class QwertyNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(2, 8)
        self.fc2 = torch.nn.Linear(8, 3)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


def loaders(trial):
    """720 training and 180 test rows: three unit-variance clouds, split by NumPy's seed 42 as scikit-learn does."""
    draw = np.random.RandomState(42)
    x = np.vstack([draw.multivariate_normal(mean, np.eye(2), 300) for mean in trial["means"]])
    y = np.repeat(np.arange(3), 300)
    order = np.random.RandomState(42).permutation(900)
    parts = (order[180:], True), (order[:180], False)
    return [
        DataLoader(TensorDataset(torch.tensor(x[rows], dtype=torch.float32), torch.tensor(y[rows])),
                   batch_size=trial["batch"], shuffle=shuffle) for rows, shuffle in parts
    ]


def train_epoch(model, loader, criterion, optimizer, scheduler, lrs):
    model.train()
    total, correct, seen = 0.0, 0, 0
    for x, y in loader:
        optimizer.zero_grad()
        logits = model(x)
        loss = criterion(logits, y)
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        lrs.append(optimizer.param_groups[0]["lr"])
        total += loss.item()
        correct += (logits.argmax(1) == y).sum().item()
        seen += len(y)
    return total / len(loader), correct / seen


def test_epoch(model, loader, criterion):
    model.eval()
    total, correct, seen = 0.0, 0, 0
    with torch.no_grad():
        for x, y in loader:
            logits = model(x)
            total += criterion(logits, y).item()
            correct += (logits.argmax(1) == y).sum().item()
            seen += len(y)
    return total / len(loader), correct / seen


def train(trial, train_loader, test_loader, decay):
    """One run from seed 0; returns the last epoch's training loss."""
    torch.manual_seed(0)
    model, criterion = QwertyNet(), torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=trial["optimizer"]["lr"])
    schedule = trial["schedule"]
    step_lr = torch.optim.lr_scheduler.StepLR
    scheduler = step_lr(optimizer, schedule["stepSize"], schedule["gamma"]) if decay else None
    history, lrs = [], []
    for _ in range(trial["epochs"]):
        trained = train_epoch(model, train_loader, criterion, optimizer, scheduler, lrs)
        history.append(trained + test_epoch(model, test_loader, criterion))
    return history[-1][0]


def main():
    asked = request()
    torch.set_num_threads(asked["threads"])
    trial = asked["trial"]
    sets = loaders(trial)

    def both():
        start = time.perf_counter()
        check = train(trial, *sets, True) + train(trial, *sets, False)
        return time.perf_counter() - start, check

    cold, check = both()
    end = time.perf_counter() + trial["warmUpMs"] / 1e3
    while time.perf_counter() < end:
        both()
    cpu = time.process_time()
    seconds = [both()[0] for _ in range(trial["repeats"])]
    busy = (time.process_time() - cpu) / sum(seconds)
    answer(version=f"torch {torch.__version__}", unit="us", samples=[s * 1e6 for s in seconds], coldMs=cold * 1e3, check=check,
           busy=busy, settings={"threads": torch.get_num_threads()})


if __name__ == "__main__":
    main()
