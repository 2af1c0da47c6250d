"""Black-box tests of the binary: a real `novafeed serve`, an HTTP client, a cluster, tokens, ids, problem assertions."""

from harness.cli import binary, novafeed, scratch_directory, test_data
from harness.client import Client, Response, assert_problem
from harness.cluster import Cluster
from harness.document import DOCUMENT, PACKAGES, Document, Undocumented, public_document
from harness.ids import comment_id, event_id, ext, post_id, user_id
from harness.olap import READER, WRITER, Olap, OlapClient, assert_refused
from harness.server import Server
from harness.tokens import Keys, sign_token
from harness.waiting import wait_until
from harness.warehouse import WITH_WAREHOUSE, await_filled, olap_of

__all__ = [
    "DOCUMENT",
    "Client",
    "Cluster",
    "Document",
    "Keys",
    "Olap",
    "OlapClient",
    "PACKAGES",
    "READER",
    "Response",
    "Server",
    "Undocumented",
    "WITH_WAREHOUSE",
    "WRITER",
    "assert_problem",
    "assert_refused",
    "await_filled",
    "binary",
    "comment_id",
    "event_id",
    "ext",
    "novafeed",
    "olap_of",
    "post_id",
    "public_document",
    "scratch_directory",
    "sign_token",
    "test_data",
    "user_id",
    "wait_until",
]
