"""Which caps are in force is in a table: a call counts in them by its record, whatever became of its reservation."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_PARTS = {
    "advertisers": "advertiser",
    "campaigns": "campaign",
    "publishers": "publisher",
    "destinations": "destination",
}


def upgrade() -> None:
    op.create_table(
        "cap_rules",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("per", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
    )
    op.create_index("cap_rules_owner", "cap_rules", ["owner"])
    fill()


def fill() -> None:
    """The caps of the marketplace in force. Publishers' amounts, which counted prices, begin with the next apply."""
    newest = "SELECT document_json FROM marketplace_versions ORDER BY version DESC LIMIT 1"
    text = op.get_bind().exec_driver_sql(newest).scalar_one_or_none()
    document = json.loads(text) if text else {}
    for part, kind in _PARTS.items():
        for name, owner in document.get(part, {}).items():
            advertiser = document["advertisers"].get(owner.get("advertiser"), {})
            timezone = (advertiser if "advertiser" in owner else owner).get("timezone") or "UTC"
            for cap in owner.get("caps") or ():
                if cap.get("concurrent") is not None or (kind == "publisher" and cap.get("max_amount")):
                    continue
                currency = cap.get("currency") or owner.get("currency") or document["currency"]
                measure = f"{cap.get('basis') or 'qualified'}:{cap['per']}"
                if cap.get("max_amount") is not None:
                    measure = f"amount:{cap['per']}:{currency}"
                rule = {
                    "key": f"{kind}:{name}:{measure}",
                    "owner": f"{kind}:{name}",
                    "per": cap["per"],
                    "timezone": timezone,
                }
                insert = "INSERT INTO cap_rules VALUES (:key, :owner, :per, :timezone)"
                op.get_bind().execute(sa.text(insert), rule)


def downgrade() -> None:
    op.drop_table("cap_rules")
