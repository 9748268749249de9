"""What an apply tells, where many objects are alike."""

from ari_app.domain.document.remarks import Remark
from ari_app.views.applied import remark_lines


def test_what_is_said_of_ten_thousand_objects_is_one_line() -> None:
    doubtful = [Remark(f"destinations.d-{n}.hours.open[0]", "write 24:00") for n in range(10_000)]
    [line] = remark_lines([*doubtful, Remark("advertisers.acme.timezone", "write 24:00")])
    assert line.startswith("destinations.d-0.hours.open[0], ")
    assert line.endswith(" and 9,996 more: write 24:00")
