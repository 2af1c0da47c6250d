"""One batch to the server and what came of it. Knows HTTP; knows nothing of queues and waiting."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Literal, Mapping, Optional, Sequence, Union

from .backoff import parse_retry_after
from .clock import Clock
from .events import Problem

TokenProvider = Callable[[bool], str]
Reason = Literal["size", "content", "all"]

_HOPELESS_CODES = {"user_erased", "user_required"}  # they hold for whatever this caller sends


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


# Sends a POST: URL, headers, body, timeout in seconds. Raises where there is no answer.
Post = Callable[[str, Dict[str, str], bytes, float], Answer]


def post_with_urllib(url: str, headers: Dict[str, str], body: bytes, timeout: float) -> Answer:
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.headers, refusal.read())


@dataclass(frozen=True)
class Answered:
    """Each event was judged by itself: `results` has "status" and, where it was refused, "code"."""

    results: List[Dict[str, Any]]
    position: Optional[str]


@dataclass(frozen=True)
class Refused:
    """This batch will never be taken as it is: because of its size, of something in it, or of each of its events."""

    because: Reason
    problem: Problem


@dataclass(frozen=True)
class Failed:
    """Nothing was said about the events: the same batch may be taken later."""

    problem: Problem
    retry_after: Optional[float]


Outcome = Union[Answered, Refused, Failed]


def _failure(code: str, error: Exception) -> Failed:
    return Failed(Problem(0, code, str(error) or type(error).__name__), None)


def _parse(body: bytes) -> Dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _results(status: int, body: Dict[str, Any], count: int) -> Optional[List[Dict[str, Any]]]:
    """The results of a 202; None where it is none of this server's, but, say, of a hotel's login page."""
    results = body.get("results")
    if status != 202 or not isinstance(results, list) or len(results) != count:
        return None
    return results if all(isinstance(result, dict) for result in results) else None


def _reason_of_refusal(problem: Problem) -> Optional[Reason]:
    if problem.code in _HOPELESS_CODES:
        return "all"
    if problem.status == 413 or problem.code == "bad_batch_size":
        return "size"
    return "content" if problem.status in (400, 422) else None


def outcome_of(answer: Answer, count: int, now_ms: int) -> Outcome:
    body = _parse(answer.body)
    results = _results(answer.status, body, count)
    if results is not None:
        return Answered(results, answer.headers.get("Novafeed-Position"))
    detail = body.get("detail") or body.get("title") or f"The server answered {answer.status}."
    problem = Problem(answer.status, str(body.get("code") or ""), str(detail))
    because = _reason_of_refusal(problem)
    if because is not None:
        return Refused(because, problem)
    return Failed(problem, parse_retry_after(answer.headers.get("Retry-After"), now_ms))


class Transport:
    """`token` gives the bearer token; it is called with True when the server has just refused the one before."""

    def __init__(
        self, url: str, token: TokenProvider, user: Optional[str], post: Post, timeout: float, clock: Clock
    ) -> None:
        self._url = url.rstrip("/") + "/api/v1/events"
        self._token = token
        self._user = user
        self._post = post
        self._timeout = timeout
        self._clock = clock

    def send(self, events: Sequence[str]) -> Outcome:
        """Does not raise. A refused token is asked for once more."""
        body = ('{"events":[' + ",".join(events) + "]}").encode()
        outcome = self._attempt(body, len(events), False)
        if isinstance(outcome, Failed) and outcome.problem.status == 401:
            outcome = self._attempt(body, len(events), True)
        return outcome

    def _attempt(self, body: bytes, count: int, renew: bool) -> Outcome:
        try:
            token = self._token(renew)
        except Exception as error:  # it is the caller's code: whatever it raises, there is no token
            return _failure("no_token", error)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if self._user is not None:
            headers["Novafeed-User"] = self._user
        try:
            answer = self._post(self._url, headers, body, self._timeout)
        except Exception as error:  # OSError and HTTPException, and what a token that is no header makes of it
            return _failure("no_answer", error)
        return outcome_of(answer, count, self._clock.now())
