"""The guard of memory: what an idle connection takes of our server, held against what was recorded.

The server's resident memory is the same to a page or two in each run, so one run tells, also on a busy machine.
"""
from . import peers, tls, workloads

KEYS = ("tls/echo_1000_idle",)
WHAT = "bytes per idle connection"
GROWTH_ALLOWED = 0.03

OURS = peers.PEERS[0]


def measured():
    """Of each form that can run here: there is no TLS without OpenSSL."""
    forms = [form for form in workloads.FORMS if form.key in KEYS]
    if not OURS.has("tls") or not tls.CLIENT.exists():
        return {}
    return {form.key: form.value(tls.run(OURS, form, form.size)) for form in forms}


def grown(before, now, key):
    return key not in before or now[key] > before[key] * (1 + GROWTH_ALLOWED)


def check(before):
    """0 if nothing has grown by more than is allowed."""
    now = measured()
    if not now:
        print(f"\nskipped: {WHAT}: there is no OpenSSL here")
        return 0
    print(f"\n{WHAT:<28}{'recorded':>10}{'now':>10}")
    for key, size in now.items():
        was = before.get(key)
        change = f"{100 * (size / was - 1):+7.1f} %" if was else "    new"
        print(f"{key:<28}{was or 0:10.0f}{size:10.0f}{change}{'   GROWN' if grown(before, now, key) else ''}")
    failed = [key for key in now if grown(before, now, key)]
    if failed:
        print(f"\nMore than {100 * GROWTH_ALLOWED:.0f} % up: {', '.join(failed)}. Record it if it is worth it: "
              "./dev bench --record")
    return 1 if failed else 0
