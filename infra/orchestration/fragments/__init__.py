"""The parts that workflows are put together from: they nest in any order."""

from infra.orchestration.fragments.base import Fragment
from infra.orchestration.fragments.control import AtLeast
from infra.orchestration.fragments.flow import Flow
from pentad.domain.declarations.asking import Approvers
from pentad.domain.declarations.schedules import ScheduleSpec

__all__ = ["Approvers", "AtLeast", "Flow", "Fragment", "ScheduleSpec"]
