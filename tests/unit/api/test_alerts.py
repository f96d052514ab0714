"""An alert travels with its evidence."""

from __future__ import annotations

from tests.labelled_history import labelled_history

from computility.api.schemas.node import Alerts
from computility.services.surveillance.watch import skipped_rules, watch


def test_alerts__travel_whole() -> None:
    facts = labelled_history(3).facts
    found = watch(facts, forest=False)
    settled = [{**vars(alert), "confirmation": "safe"} for alert in found]
    answer = Alerts.model_validate({"alerts": settled, "trades": len(facts.trades), "skipped": skipped_rules(facts)})
    assert [(alert.rule, tuple(alert.jobs)) for alert in answer.alerts] == [(alert.rule, alert.jobs) for alert in found]
