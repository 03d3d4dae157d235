"""A distillation epoch against the bare arithmetic, and against the usual loop.

    KDLAB_DATA=... python -m tests.benchmarks.training

Needs MNIST. The network is Hinton's student, 784-800-800-10, batches of 128, SGD with
momentum; the teacher is 784-1200-1200-10 (its weights do not matter for the time).
"""

import gc
from statistics import median

import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import VisionDataset

from kdlab import data, models, schemes
from tests.benchmarks.table import header, ratio, row, timed

BATCH = 128


class PilImages(VisionDataset):
    """A data set as torchvision's MNIST: a PIL image and a number, one at a time."""

    def __init__(self, images: torch.Tensor, targets: torch.Tensor) -> None:
        usual = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)])
        super().__init__(root="", transform=usual)
        self.images, self.targets = images[:, 0], targets

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int):
        image = Image.fromarray(self.images[index].numpy(), mode=None)
        return self.transform(image), int(self.targets[index])


def student_and_optimizer():
    """Return a fresh student and its optimizer."""
    student = models.mlp((784, 800, 800, 10))
    return student, torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9)


def bare_epoch(pairs) -> None:
    """Run forward, backward and update over batches that were cut before."""
    student, optimizer = student_and_optimizer()
    for images, targets in pairs:
        loss = F.cross_entropy(student(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def our_epoch(dataset: data.Dataset, logits: torch.Tensor) -> None:
    """Run kdlab's distillation with the teacher's logits at hand."""
    student, optimizer = student_and_optimizer()
    batches = data.Batches(dataset.train_images, dataset.train_targets, batch_size=BATCH)
    schemes.distill(student, logits, batches, optimizer, epochs=1, temperature=4.0, lambda_=0.5)


def usual_epoch(loader: DataLoader, teacher: torch.nn.Module) -> None:
    """Run what most repositories do: PIL per sample, the teacher asked at every step."""
    student, optimizer = student_and_optimizer()
    for images, targets in loader:
        with torch.no_grad():
            teacher_logits = teacher(images)
        scores = student(images)
        soft = F.kl_div(
            F.log_softmax(scores / 4, dim=1),
            F.softmax(teacher_logits / 4, dim=1),
            reduction="batchmean",
        )
        loss = 0.5 * F.cross_entropy(scores, targets) + 0.5 * 16 * soft
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()


def resident_megabytes() -> float:
    """Return this process's resident memory; Linux only."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6


def measure_memory() -> None:
    """Compare the memory that MNIST takes, while batches are drawn, with its bytes."""
    before = resident_megabytes()
    dataset = data.load("mnist")
    size = sum(t.nbytes for t in (dataset.train_images, dataset.test_images)) / 1e6
    batches = data.Batches(dataset.train_images, dataset.train_targets, batch_size=BATCH)
    most = max(resident_megabytes() for _ in batches) - before
    what = f"memory of MNIST while batches are drawn, against its {size:.0f} MB of bytes"
    row(what, f"{most / size:.2f} times", "at most 1.3", most / size <= 1.3)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(2)
    header("Training")
    # A first tensor and a first gather take their share of memory before we measure.
    torch.randn(128, 784)[torch.randperm(128)].float()
    data.load("digits")
    measure_memory()
    dataset = data.load("mnist")
    teacher = models.mlp((784, 1200, 1200, 10)).eval()
    logits = schemes.predict(teacher, dataset.train_images)
    pairs = list(
        zip(
            data.to_float(dataset.train_images).split(BATCH),
            dataset.train_targets.split(BATCH),
            strict=True,
        )
    )
    loader = DataLoader(
        PilImages(dataset.train_images, dataset.train_targets), batch_size=BATCH, shuffle=True
    )
    bare, ours = timed(lambda: bare_epoch(pairs), lambda: our_epoch(dataset, logits), repeats=9)
    times = ratio(ours, bare)
    what = (
        f"distillation epoch ({median(ours):.1f} s) against bare arithmetic ({median(bare):.1f} s)"
    )
    row(f"distillation epoch {took}", f"{times:.2f} times", "at most 1.15", times <= 1.15)
    usual, again = timed(
        lambda: usual_epoch(loader, teacher), lambda: our_epoch(dataset, logits), repeats=3
    )
    times = ratio(usual, again)
    what = f"the usual loop ({median(usual):.1f} s) against ours ({median(again):.1f} s)"
    row(what, f"{times:.1f} times", "at least 4", times >= 4)


if __name__ == "__main__":
    main()
