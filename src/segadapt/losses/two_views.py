"""Where two classifiers disagree (CLAN, Luo et al., CVPR 2019; CIRN, Gao et al., AAAI 2021)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from segadapt.losses.adversarial import DOMAIN_LABEL, DomainLabel


def cosine_distance(first: Tensor, second: Tensor) -> Tensor:
    """R(p1, p2): one less the cosine of two predictions at every pixel (CIRN, Eq. 7).

    Args:
        first: class probabilities of one classifier, (N, C, H, W).
        second: those of the other.

    Returns:
        (N, H, W) in [0, 1]: 0 where the two agree, 1 where they share no class.
    """
    return 1 - F.cosine_similarity(first, second, dim=1)


def weighted_domain_loss(logit: Tensor, domain: DomainLabel, weight: Tensor) -> Tensor:
    """How far a discriminator is from calling every pixel ``domain``, weighted (CIRN, Eq. 7).

    Args:
        logit: raw output of the discriminator at image size, (N, H, W).
        domain: the answer that is asked for.
        weight: lambda_cos * R + epsilon of every pixel, (N, H, W).

    Returns:
        A scalar, the mean over all pixels of weight times binary cross-entropy.
    """
    goal = logit.new_full(logit.shape, DOMAIN_LABEL[domain])
    # Multiplied here: as an argument the weight could carry no gradient.
    return (weight * F.binary_cross_entropy_with_logits(logit, goal, reduction="none")).mean()


def weight_discrepancy(first: Tensor, second: Tensor) -> Tensor:
    """Cosine of two classifiers' weights (CLAN, Eq. 5), flat vectors of one length, in [-1, 1]."""
    return F.cosine_similarity(first, second, dim=0)
