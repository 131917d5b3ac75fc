"""The account that everything belongs to, its user and the token, which clients look up first."""

from cfworkflows.http import Response
from cfworkflows_emulator.api import results
from cfworkflows_emulator.api.requests import AccountsQuery, MembershipsQuery
from cfworkflows_emulator.api.routing.envelope import success
from cfworkflows_emulator.api.routing.paging import page
from cfworkflows_emulator.api.routing.routes import Call, Route
from cfworkflows_emulator.api.workflows import Workflows
from cfworkflows_emulator.views import iso

NAME = "local"


class AccountRoutes:
    """`/accounts`, `/memberships` and `/user`: one account, which answers to every id, and one user, any token's."""

    def __init__(self, workflows: Workflows) -> None:
        self._account = {"id": NAME, "name": NAME, "type": "standard", "created_on": iso(workflows.since)}

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/accounts", self._list, "The one account.", AccountsQuery, result=list[results.Account]),
            Route("GET", "/accounts/{account}", self._get, "The account, by any id.", result=results.Account),
            Route(
                "GET",
                "/memberships",
                self._memberships,
                "Its membership.",
                MembershipsQuery,
                result=list[results.Membership],
            ),
            Route("GET", "/user", self._user, "The one user.", result=results.User),
            Route("GET", "/user/tokens/verify", self._token, "The token, whichever it is.", result=results.Token),
        ]

    async def _list(self, call: Call) -> Response:
        query: AccountsQuery = call.query
        return page([self._account] if query.name in (None, NAME) else [], query)

    async def _get(self, call: Call) -> Response:
        return success({**self._account, "id": call.names["account"]})

    async def _memberships(self, call: Call) -> Response:
        query: MembershipsQuery = call.query
        membership = {"id": NAME, "account": self._account, "status": "accepted", "roles": []}
        fits = {query.name, query.account_name} <= {None, NAME} and query.status in (None, "accepted")
        return page([membership] if fits else [], query)

    async def _user(self, call: Call) -> Response:
        return success(
            {"id": NAME, "email": "local@localhost", "first_name": None, "last_name": None, "suspended": False}
        )

    async def _token(self, call: Call) -> Response:
        return success({"id": NAME, "status": "active"}, note="This API Token is valid and active")
