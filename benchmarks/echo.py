"""The bound of any service in FastAPI: an application that reads the content and answers."""

from fastapi import FastAPI, Request

__all__ = ["app"]

app = FastAPI()


@app.post("/v1/acts", status_code=202)
async def acts(request: Request) -> dict[str, int]:
    """Answer with the size of the content."""
    return {"size": len(await request.body())}
