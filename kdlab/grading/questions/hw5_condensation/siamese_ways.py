"""Ways to change two sides, right and wrong, for question 4 of homework 5."""

import torch
import torch.nn.functional as F


def moved(image, by):
    """Move one image to the right; black comes in."""
    width = image.shape[1]
    by = max(-width, min(width, int(by)))
    return F.pad(image, (by, -by)) if by >= 0 else F.pad(image[:, -by:], (0, -by))


def rolled(image, by):
    """Move it around: what falls off comes in again."""
    return image.roll(int(by), dims=1)


def down(image, by):
    """Move it down instead of to the right."""
    return moved(image.T, by).T


def sliced(image, by):
    """Move by slices that are empty for 0."""
    by, out = int(by), torch.zeros_like(image)
    if by >= 0:
        out[:, by:] = image[:, :-by]
    else:
        out[:, :by] = image[:, -by:]
    return out


def contrasted(image, factor):
    """Change the distances from its own mean."""
    return image.mean() + factor * (image - image.mean())


def changed(image, by, factor, move=moved, contrast=contrasted):
    """Move an image, then change its contrast."""
    return contrast(move(image, by), factor)


def side(images, entries, moves, factors, **parts):
    """Change each image by the entry that it is given."""
    pairs = zip(images, entries, strict=True)
    return torch.stack([changed(one, moves[c], factors[c], **parts) for one, c in pairs])


def change_alike(real, real_targets, synthetic, synthetic_targets, moves, factors):
    """Return both sides, each image changed by the move and the factor of its class."""
    return side(real, real_targets, moves, factors), side(
        synthetic, synthetic_targets, moves, factors
    )


def both(**parts):
    """Return both sides with another way to move or to contrast."""
    return lambda x, y, s, t, m, f: (side(x, y, m, f, **parts), side(s, t, m, f, **parts))


def rows(mine, theirs):
    """Return both sides changed by other rows."""
    return lambda x, y, s, t, m, f: (
        side(x, mine(y, len(m)), m, f),
        side(s, theirs(t, len(m)), m, f),
    )


def own(targets, classes):
    """Take the classes as they are."""
    return targets


def by_place(targets, classes):
    """Count the images instead of looking at their classes."""
    return torch.arange(len(targets)) % classes


def next_one(targets, classes):
    """Take the next class."""
    return (targets + 1) % classes


def first_one(targets, classes):
    """Take class 0."""
    return torch.zeros_like(targets)


def in_order(targets, classes):
    """Take the classes in order."""
    return targets.sort().values


def contrast_first(x, y, s, t, m, f):
    """Change both sides, the contrast before the move."""

    def one_side(images, targets):
        pairs = zip(images, targets, strict=True)
        return torch.stack([moved(contrasted(one, f[c]), m[c]) for one, c in pairs])

    return one_side(x, y), one_side(s, t)


def about(mean):
    """Return both sides, the contrast changed about another mean than each image's own.

    `mean` is called with the images before and after the move, and their classes.
    """

    def change(x, y, s, t, m, f):
        def one_side(images, targets):
            there = side(images, targets, m, torch.ones_like(f))
            by = mean(images, there, targets)
            return by + f[targets][:, None, None] * (there - by)

        return one_side(x, y), one_side(s, t)

    return change


def mean_of_batch(before, after, targets):
    """Return one mean for all."""
    return after.mean()


def mean_of_class(before, after, targets):
    """Return for each image the mean of its class."""
    return torch.stack([after[targets == c].mean() for c in targets])[:, None, None]


def mean_before(before, after, targets):
    """Return each image's mean from before the move."""
    return before.mean(dim=(1, 2), keepdim=True)
