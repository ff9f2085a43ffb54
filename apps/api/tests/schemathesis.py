"""What a schema cannot say: who calls, and when a preorder may be wanted."""

import datetime
import ipaddress
import itertools

import schemathesis

ADDRESSES = map(ipaddress.IPv4Address, itertools.count(int(ipaddress.IPv4Address("10.0.0.1"))))
TOMORROW = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)


# Another address for each request: else the limits on guessing would hide the handlers. Not as a
# hook: what a hook changes is taken for a part of the test case.
@schemathesis.auth(refresh_interval=None)
class Address:
    def get(self, case, context):
        return str(next(ADDRESSES))

    def set(self, case, address, context):
        case.headers["x-forwarded-for"] = address


# A time is a time within the next 14 days. What is no time stays as it is.
@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.body, dict) and is_time(case.body.get("wanted_at")):
        case.body["wanted_at"] = TOMORROW.isoformat()


def is_time(value):
    try:
        return datetime.datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False
