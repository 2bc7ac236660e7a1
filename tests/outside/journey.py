"""What a platform does, by the client that openapi-generator makes of the contract.

Usage: python journey.py ADDRESS < QUESTION, with the generated package `gateway_client` in the path. QUESTION
is JSON: {"code", "public_key", "mapping", "acts"}. Prints the receipt of the first act that counts.
"""

import json
import sys

import gateway_client as made

question = json.load(sys.stdin)
with made.ApiClient(made.Configuration(host=sys.argv[1])) as gateway:
    key = made.PlatformsApi(gateway).enrol(
        "cn-420100",
        "wuhan",
        made.EnrolRequest(code=question["code"], public_key=question["public_key"]),
    )
    operation = made.ActsApi(gateway).submit_acts(
        f"python-{key.id}",
        made.SubmitActsRequest(mapping=question["mapping"], acts=question["acts"]),
        prefer="wait=30",
    )
    first = next(one for one in operation.outcomes or [] if one.outcome == "accepted")
    found = made.RecordsApi(gateway).record(first.record or "", batch=first.batch)
    receipt = made.RecordsApi(gateway).receipt_without_preload_content(
        first.record or "", batch=found.batch, disclose=["event"]
    )
    sys.stdout.write(receipt.read().decode())
