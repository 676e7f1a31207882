"""A session as one self-contained page: figures, curves, distributions and trades. Data in, HTML out."""

from shared.domain.report.material import Gathering, Halted, Material, Notes, gather
from shared.domain.report.page import render

__all__ = ["Gathering", "Halted", "Material", "Notes", "gather", "render"]
