"""Queues, objects and events behind the front: delivery, redrive, waiting without polling, subscribers."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.front.conftest import ACCOUNT, REGION, Client
from twin.front.front import AwsFront
from twin.front.model import ApiEvent

pytestmark = pytest.mark.twin


@pytest.fixture
def sqs(client: Client) -> Any:
    return client("sqs")


def test_message_moves_to_the_dead_letter_queue_after_its_receives(sqs: Any) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead", "maxReceiveCount": 2}
    queue = sqs.create_queue(
        QueueName="jobs", Attributes={"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "0"}
    )["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    counts = []
    for _ in range(2):
        (message,) = sqs.receive_message(QueueUrl=queue, AttributeNames=["ApproximateReceiveCount"])["Messages"]
        counts.append(message["Attributes"]["ApproximateReceiveCount"])
    assert counts == ["1", "2"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    (message,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert message["Body"] == "poison"


def test_received_message_is_hidden_until_made_visible(sqs: Any) -> None:
    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1


def test_a_message_past_its_retention_is_gone_and_hides_none(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = sqs.create_queue(QueueName="jobs", Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]
    clock = time.time
    monkeypatch.setattr("moto.sqs.models.unix_time_millis", lambda: (clock() - 61) * 1000)
    sqs.send_message(QueueUrl=queue, MessageBody="old")
    monkeypatch.undo()
    sqs.send_message(QueueUrl=queue, MessageBody="new")
    (message,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert message["Body"] == "new"
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]) == ("0", "1")


def test_receiving_looks_at_each_message_a_few_times(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    for _ in range(10):
        entries = [{"Id": str(number), "MessageBody": "x"} for number in range(10)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    looks: list[float] = []

    def look() -> float:
        looks.append(time.time() * 1000)
        return looks[-1]

    monkeypatch.setattr("moto.sqs.models.unix_time_millis", look)
    assert len(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]) == 10
    assert len(looks) < 400  # moto alone: 7,000 for 100 messages


def test_a_request_reads_no_folder_and_searches_no_class(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sqs.list_queues()
    asked: list[object] = []
    monkeypatch.setattr("moto.backends.os.listdir", asked.append)
    monkeypatch.setattr("moto.core.utils.inspect.getmembers", lambda owner, **_: asked.append(owner))
    assert sqs.list_queues().get("QueueUrls", []) == []
    assert asked == []


def test_waiting_receiver_gets_a_message_sent_meanwhile(sqs: Any, client: Client) -> None:
    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    timer = threading.Timer(0.2, lambda: client("sqs").send_message(QueueUrl=queue, MessageBody="late"))
    timer.start()
    began = time.monotonic()
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    timer.join()
    assert message["Body"] == "late"
    assert time.monotonic() - began < 9


def test_concurrent_receivers_share_messages_without_doubles(sqs: Any, client: Client) -> None:
    from concurrent.futures import ThreadPoolExecutor

    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    for n in range(60):
        sqs.send_message(QueueUrl=queue, MessageBody=str(n))

    def drain(_: int) -> list[str]:
        own, found = client("sqs"), []
        while batch := own.receive_message(QueueUrl=queue, MaxNumberOfMessages=5).get("Messages"):
            found += [message["Body"] for message in batch]
        return found

    with ThreadPoolExecutor(6) as threads:
        bodies = [body for found in threads.map(drain, range(6)) for body in found]
    assert sorted(bodies, key=int) == [str(n) for n in range(60)]


def test_subscribers_are_told_of_writes_and_not_of_reads_or_failures(front: AwsFront, client: Client) -> None:
    events: list[ApiEvent] = []
    front.on_event(events.append)
    s3, sqs = client("s3"), client("sqs")
    s3.create_bucket(Bucket="docs")
    s3.put_object(Bucket="docs", Key="a", Body=b"x")
    s3.get_object(Bucket="docs", Key="a")
    with pytest.raises(ClientError):
        s3.put_object(Bucket="absent", Key="a", Body=b"x")
    s3.delete_object(Bucket="docs", Key="a")
    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    client("events").put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": "{}"}])
    assert [(event.service, event.operation) for event in events] == [
        ("s3", "PutObject"),
        ("s3", "DeleteObject"),
        ("sqs", "SendMessage"),
        ("events", "PutEvents"),
    ]
    assert events[0].params["Bucket"] == "docs" and events[0].params["Key"] == "a"


def test_object_of_many_megabytes_and_parts_comes_back_whole(client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="docs")
    part = bytes(range(256)) * 4096 * 6
    upload = s3.create_multipart_upload(Bucket="docs", Key="big")["UploadId"]
    parts = [
        {
            "PartNumber": n,
            "ETag": s3.upload_part(Bucket="docs", Key="big", UploadId=upload, PartNumber=n, Body=part)["ETag"],
        }
        for n in (1, 2)
    ]
    s3.complete_multipart_upload(Bucket="docs", Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="docs", Key="big")["Body"].read() == part * 2
    ranged = s3.get_object(Bucket="docs", Key="big", Range="bytes=10-19")
    assert ranged["Body"].read() == part[10:20]


def test_body_sent_in_chunks_is_read_whole(front: AwsFront, client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="docs")
    target = urllib.parse.urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": "docs", "Key": "a"}))
    connection = http.client.HTTPConnection(target.netloc, timeout=10)
    pieces = [b"x" * 70_000, b"y" * 3, b"z" * 200_000]
    connection.request("PUT", f"{target.path}?{target.query}", body=iter(pieces), encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert s3.get_object(Bucket="docs", Key="a")["Body"].read() == b"".join(pieces)


def test_conditional_put_creates_an_object_once(client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="docs")
    s3.put_object(Bucket="docs", Key="a", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="docs", Key="a", Body=b"second", IfNoneMatch="*")
    assert s3.get_object(Bucket="docs", Key="a")["Body"].read() == b"first"


def test_bucket_remembers_that_it_announces_to_eventbridge(client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="docs")
    configuration: dict[str, Any] = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket="docs", NotificationConfiguration=configuration)
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket="docs")


def test_health_is_open_and_counts_need_the_administrators_secret_key(front: AwsFront, client: Client) -> None:
    client("sqs").list_queues()
    with urllib.request.urlopen(f"{front.url}/_twin/health", timeout=5) as response:  # noqa: S310 - loopback
        assert json.load(response) == {"status": "ok", "region": REGION}
    counts = urllib.request.Request(f"{front.url}/_twin/counts")  # noqa: S310 - loopback
    for key in ("", "guessed", front.principals.administrator.access_key_id):
        counts.add_header("x-twin-key", key)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(counts, timeout=5)  # noqa: S310 - loopback
    counts.add_header("x-twin-key", front.principals.administrator.secret_access_key)
    with urllib.request.urlopen(counts, timeout=5) as response:  # noqa: S310 - loopback
        assert {"service": "sqs", "operation": "ListQueues", "principal": "administrator", "count": 1} in json.load(
            response
        )


def test_stopped_front_leaves_no_thread(client: Client) -> None:
    before = set(threading.enumerate())
    other = AwsFront(REGION)
    with other, urllib.request.urlopen(f"{other.start()}/_twin/health", timeout=5):  # noqa: S310 - loopback
        pass
    deadline = time.monotonic() + 60
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(threading.enumerate()) <= before
