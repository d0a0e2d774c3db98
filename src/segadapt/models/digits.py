"""CyCADA's digit classifiers (Hoffman et al., ICML 2018): a LeNet, and a deeper one for SVHN."""

from __future__ import annotations

from torch import Tensor, nn

from segadapt.models.base import LevelLogits, Segmenter

BACKBONES = ("lenet", "dtn")
GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue, as Pillow's."""
SIDES = {"lenet": 28, "dtn": 32}
"""Of the square images that each one takes."""


class DigitClassifier(Segmenter):
    """Images (N, 3, side, side) -> scores as maps of 1x1, (N, C, 1, 1).

    What all else of the package sees is a segmenter whose whole image is one pixel.
    """

    trunk = ("conv_params", "fc_params")

    def __init__(self, backbone: str, num_classes: int) -> None:
        super().__init__(num_classes, "single", ())
        self.backbone = backbone
        if backbone == "lenet":
            self.conv_params = nn.Sequential(
                nn.Conv2d(1, 20, 5),
                nn.MaxPool2d(2),
                nn.ReLU(),
                nn.Conv2d(20, 50, 5),
                nn.Dropout2d(0.5),
                nn.MaxPool2d(2),
                nn.ReLU(),
            )
            self.fc_params: nn.Module = nn.Linear(50 * 4 * 4, 500)
            features = 500
        else:
            blocks: list[nn.Module] = []
            for before, after, dropped in ((3, 64, 0.1), (64, 128, 0.3), (128, 256, 0.5)):
                blocks += [
                    nn.Conv2d(before, after, 5, stride=2, padding=2),
                    nn.BatchNorm2d(after),
                    nn.Dropout2d(dropped),
                    nn.ReLU(),
                ]
            self.conv_params = nn.Sequential(*blocks)
            self.fc_params = nn.Sequential(nn.Linear(256 * 4 * 4, 512), nn.BatchNorm1d(512))
            features = 512
        self.classifier = nn.Sequential(
            nn.ReLU(), nn.Dropout(0.5), nn.Linear(features, num_classes)
        )
        for module in self.modules():  # as CyCADA's program starts them
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_normal_(module.weight)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def extract(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """Features of the last hidden layer, (N, channels, 1, 1)."""
        if self.backbone == "lenet":
            weights = image.new_tensor(GREY).view(1, 3, 1, 1)
            image = (image * weights).sum(dim=1, keepdim=True)
        features: Tensor = self.fc_params(self.conv_params(image).flatten(1))
        return features[..., None, None], None

    def classify(self, last: Tensor, middle: Tensor | None = None) -> LevelLogits:
        """See :meth:`Segmenter.classify`."""
        scores: Tensor = self.classifier(last.flatten(1))
        return LevelLogits(scores[..., None, None], None)
