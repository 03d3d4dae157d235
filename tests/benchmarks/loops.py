"""One epoch of distillation, four times: ours, the bare limit, and two loops that people copy.

Each takes the same networks, data and batch. The two others are written afresh after what
their sources do in every step; who shares a step's work between processes or moves it to a GPU
is not meant by them.
"""

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import VisionDataset

from kdlab import data, models, schemes

STUDENT, TEACHER = (784, 800, 800, 10), (784, 1200, 1200, 10)
T, LAMBDA = 4.0, 0.5


class PilImages(VisionDataset):
    """A data set as torchvision's MNIST: a PIL image and a number, one at a time."""

    def __init__(self, images: Tensor, targets: Tensor) -> None:
        usual = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)])
        super().__init__(root="", transform=usual)
        self.images, self.targets = images[:, 0], targets

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int):
        image = Image.fromarray(self.images[index].numpy(), mode=None)
        return self.transform(image), int(self.targets[index])


def student_and_optimizer() -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return a fresh student and its optimizer."""
    student = models.mlp(STUDENT)
    return student, torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9, fused=True)


def ours(dataset: data.Dataset, logits: Tensor, batch_size: int) -> None:
    """Run kdlab's distillation with the teacher's logits at hand."""
    student, optimizer = student_and_optimizer()
    images, targets = dataset.train_images, dataset.train_targets
    batches = data.Batches(images, targets, batch_size=batch_size)
    schemes.distill(student, logits, batches, optimizer, epochs=1, temperature=T, lambda_=LAMBDA)


def bare(pairs: list[tuple[Tensor, Tensor]]) -> None:
    """Run forward, backward and update over batches that were cut before: the limit."""
    student, optimizer = student_and_optimizer()
    for images, targets in pairs:
        loss = F.cross_entropy(student(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def products(batch_size: int, steps: int) -> None:
    """Run the matrix products of so many steps, and nothing else."""
    pairs = list(zip(STUDENT[:-1], STUDENT[1:], strict=True))
    inputs = [torch.randn(batch_size, fan_in) for fan_in, _ in pairs]
    gradients = [torch.randn(batch_size, fan_out) for _, fan_out in pairs]
    weights = [torch.randn(fan_out, fan_in) for fan_in, fan_out in pairs]
    for _ in range(steps):
        for x, w in zip(inputs, weights, strict=True):
            x @ w.T
        for x, g in zip(inputs, gradients, strict=True):
            g.T @ x
        # The images need no gradient.
        for g, w in zip(gradients[1:], weights[1:], strict=True):
            g @ w


def tutorial(loader: DataLoader, teacher: nn.Module) -> None:
    """Run an epoch as PyTorch's distillation tutorial does.

    After https://pytorch.org/tutorials/beginner/knowledge_distillation_tutorial.html: a
    DataLoader of PIL images, the teacher asked at every step, the loss written out.
    """
    student, optimizer = student_and_optimizer()
    teacher.eval()
    student.train()
    running = 0.0
    for images, targets in loader:
        optimizer.zero_grad()
        with torch.no_grad():
            teacher_logits = teacher(images)
        student_logits = student(images)
        soft = F.softmax(teacher_logits / T, dim=-1)
        log_soft = F.log_softmax(student_logits / T, dim=-1)
        soft_loss = (soft * (soft.log() - log_soft)).sum() / len(images) * T**2
        loss = LAMBDA * soft_loss + (1 - LAMBDA) * F.cross_entropy(student_logits, targets)
        loss.backward()
        optimizer.step()
        running += loss.item()


def benchmark_repository(loader: DataLoader, teacher: nn.Module) -> None:
    """Run an epoch as RepDistiller does.

    After https://github.com/HobbitLong/RepDistiller, `helper/loops.py`: every map of both
    networks is kept, and meters of loss, top-1 and top-5 are read at every step.
    """
    student, optimizer = student_and_optimizer()
    student.train()
    teacher.eval()
    meters = {"loss": 0.0, "top1": 0.0, "top5": 0.0}
    for images, targets in loader:
        student_maps = student.features(images)
        with torch.no_grad():
            teacher_maps = [one.detach() for one in teacher.features(images).values()]
        scores = student_maps["logits"]
        log_soft = F.log_softmax(scores / T, dim=1)
        soft = F.softmax(teacher_maps[-1] / T, dim=1)
        divergence = F.kl_div(log_soft, soft, reduction="sum") * T**2 / len(images)
        loss = (1 - LAMBDA) * F.cross_entropy(scores, targets) + LAMBDA * divergence
        right = scores.topk(5, dim=1).indices == targets[:, None]
        meters["top1"] += right[:, :1].sum().item()
        meters["top5"] += right.sum().item()
        meters["loss"] += loss.item() * len(images)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
