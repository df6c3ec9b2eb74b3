"""The private JSON API between this room's flyctl and the stand-in (the README lists its calls).

Every call needs a bearer token that the stand-in knows; errors are `{"code", "message"}`; an unknown call answers 501.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.localcloud.fly import views
from infra.localcloud.fly.addresses import allocate
from infra.localcloud.fly.app import AppHost
from infra.localcloud.fly.bodies import AddCertificate, AllocateAddress, ChangeSecrets, CreateApp, Scale, ScaleVm
from infra.localcloud.fly.certificates import CertificateAuthority
from infra.localcloud.fly.deploy.request import DeployRequest
from infra.localcloud.fly.deploy.stream import DeployStream
from infra.localcloud.fly.errors import FlyError, InvalidError, NotFoundError, UnauthorizedError
from infra.localcloud.fly.model import Certificate, now
from infra.localcloud.fly.registry import Registry
from infra.localcloud.fly.scaling import scale, scale_vm

RELEASES_SHOWN = 25
LOG_LINES_SHOWN = 100

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Api:
    """Handlers of the calls; each finds its app or raises AppNotFoundError."""

    registry: Registry
    authority: CertificateAuthority
    tokens: frozenset[str]

    def build(self) -> Starlette:
        app, certificate = "/v1/apps/{app}", "/v1/apps/{app}/certificates/{hostname}"
        routes = [
            self._route("GET", "/v1/apps", self.list_apps),
            self._route("POST", "/v1/apps", self.create_app),
            self._route("GET", app, self.show_app),
            self._route("DELETE", app, self.destroy_app),
            self._route("GET", f"{app}/secrets", self.list_secrets),
            self._route("POST", f"{app}/secrets", self.change_secrets),
            self._route("POST", f"{app}/deploys", self.deploy),
            self._route("GET", f"{app}/releases", self.list_releases),
            self._route("POST", f"{app}/scale", self.scale),
            self._route("POST", f"{app}/vm", self.scale_vm),
            self._route("POST", app + "/machines/{machine}/start", self.start_machine),
            self._route("POST", app + "/machines/{machine}/stop", self.stop_machine),
            self._route("DELETE", app + "/machines/{machine}", self.destroy_machine),
            self._route("GET", f"{app}/addresses", self.list_addresses),
            self._route("POST", f"{app}/addresses", self.allocate_address),
            self._route("GET", f"{app}/certificates", self.list_certificates),
            self._route("POST", f"{app}/certificates", self.add_certificate),
            self._route("GET", certificate, self.show_certificate),
            self._route("DELETE", certificate, self.remove_certificate),
            self._route("GET", f"{app}/logs", self.logs),
        ]
        handlers: dict[Any, Callable[[Request, Exception], Response]] = {
            FlyError: _refused,
            HTTPException: _unknown_call,
            ValidationError: _malformed,
        }
        return Starlette(routes=routes, exception_handlers=handlers)

    async def list_apps(self, _: Request) -> Response:
        return JSONResponse([views.app_view(host) for host in self.registry.all()])

    async def create_app(self, request: Request) -> Response:
        body = CreateApp.model_validate_json(await request.body())
        host = self.registry.create(body.name, body.organization)
        return JSONResponse(views.app_view(host), status_code=201)

    async def show_app(self, request: Request) -> Response:
        return JSONResponse(views.app_view(self._host(request)))

    async def destroy_app(self, request: Request) -> Response:
        await self.registry.destroy(request.path_params["app"])
        return JSONResponse({})

    async def list_secrets(self, request: Request) -> Response:
        return JSONResponse(views.secret_views(self._host(request)))

    async def change_secrets(self, request: Request) -> Response:
        body = ChangeSecrets.model_validate_json(await request.body())
        host = self._host(request)
        host.stage_secrets(body.set, body.unset)
        return JSONResponse({"deployed": host.app.deployed})

    async def deploy(self, request: Request) -> Response:
        body = DeployRequest.model_validate_json(await request.body())
        return DeployStream(self._host(request), body, str(request.base_url).rstrip("/"))

    async def list_releases(self, request: Request) -> Response:
        latest = reversed(self._host(request).app.releases[-RELEASES_SHOWN:])
        return JSONResponse([views.release_view(release) for release in latest])

    async def scale(self, request: Request) -> Response:
        body = Scale.model_validate_json(await request.body())
        host = self._host(request)
        created, destroyed = await scale(host, body.count)
        return JSONResponse(
            {
                "created": [views.machine_view(runner) for runner in created],
                "destroyed": [views.machine_view(runner) for runner in destroyed],
            }
        )

    async def scale_vm(self, request: Request) -> Response:
        body = ScaleVm.model_validate_json(await request.body())
        guest = await scale_vm(self._host(request), body.size, body.memory_mb)
        return JSONResponse(guest.model_dump())

    async def start_machine(self, request: Request) -> Response:
        runner = self._host(request).machine(request.path_params["machine"])
        await runner.start()
        return JSONResponse(views.machine_view(runner))

    async def stop_machine(self, request: Request) -> Response:
        runner = self._host(request).machine(request.path_params["machine"])
        await runner.stop()
        return JSONResponse(views.machine_view(runner))

    async def destroy_machine(self, request: Request) -> Response:
        host = self._host(request)
        runner = host.machine(request.path_params["machine"])
        async with host.lease:
            await host.destroy_machine(runner)
        return JSONResponse({})

    async def list_addresses(self, request: Request) -> Response:
        addresses = self._host(request).app.addresses
        return JSONResponse([address.model_dump(mode="json") for address in addresses])

    async def allocate_address(self, request: Request) -> Response:
        body = AllocateAddress.model_validate_json(await request.body())
        host = self._host(request)
        address = allocate(host.app, body.type, body.region)
        host.save()
        return JSONResponse(address.model_dump(mode="json"), status_code=201)

    async def list_certificates(self, request: Request) -> Response:
        certificates = self._host(request).app.certificates.values()
        return JSONResponse([self.authority.summary(certificate) for certificate in certificates])

    async def add_certificate(self, request: Request) -> Response:
        body = AddCertificate.model_validate_json(await request.body())
        host = self._host(request)
        if body.hostname in host.app.certificates:
            raise InvalidError("Hostname already exists on app")
        certificate = Certificate(hostname=body.hostname, created_at=now())
        host.app.certificates[body.hostname] = certificate
        host.save()
        return JSONResponse(self.authority.detail(host.app, certificate), status_code=201)

    async def show_certificate(self, request: Request) -> Response:
        host, certificate = self._certificate(request)
        return JSONResponse(self.authority.detail(host.app, certificate))

    async def remove_certificate(self, request: Request) -> Response:
        host, certificate = self._certificate(request)
        del host.app.certificates[certificate.hostname]
        host.save()
        return JSONResponse({})

    async def logs(self, request: Request) -> Response:
        instance = request.query_params.get("instance")
        return JSONResponse(self._host(request).log.tail(LOG_LINES_SHOWN, instance))

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        async def guarded(request: Request) -> Response:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme != "Bearer" or token not in self.tokens:
                raise UnauthorizedError("unauthorized")
            return await handler(request)

        return Route(path, guarded, methods=[method])

    def _host(self, request: Request) -> AppHost:
        return self.registry.get(request.path_params["app"])

    def _certificate(self, request: Request) -> tuple[AppHost, Certificate]:
        host = self._host(request)
        certificate = host.app.certificates.get(request.path_params["hostname"])
        if certificate is None:
            raise NotFoundError("certificate not found")
        return host, certificate


def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, FlyError):
        raise error
    return JSONResponse({"code": error.code, "message": error.message}, status_code=error.status)


def _unknown_call(request: Request, _: Exception) -> Response:
    message = f"the Fly stand-in has no call {request.method} {request.url.path}; its README lists those it has"
    return JSONResponse({"code": "not_implemented", "message": message}, status_code=501)


def _malformed(_: Request, error: Exception) -> Response:
    """Where and why, never what was sent: it may be a secret."""
    if not isinstance(error, ValidationError):
        raise error
    reasons = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False)]
    return JSONResponse({"code": "malformed", "message": "; ".join(reasons)}, status_code=400)
