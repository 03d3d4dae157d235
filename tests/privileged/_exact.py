"""Integrals over the simplex with eighty digits, by the quotients that lose them in doubles."""

from decimal import Decimal, localcontext

DIGITS = 80
#: How far apart equal ones are pushed: the quotients lose thirty digits at each step.
APART = Decimal("1e-16")


def simplex_integral(g: list[float]) -> float:
    """Return sum g_k / prod log(g_k / g_j); equal g are pushed apart by 1e-16 and less."""
    with localcontext() as context:
        context.prec = DIGITS + 16 * len(g)
        seen, logs = {}, []
        for value in g:
            seen[value] = seen.get(value, -1) + 1
            logs.append(Decimal(value).ln() + seen[value] * APART)
        total = Decimal(0)
        for k, own in enumerate(logs):
            quotient = own.exp()
            for j, other in enumerate(logs):
                if j != k:
                    quotient /= own - other
            total += quotient
        return float(total)
