"""What a request for colours holds, and the forms in which it is answered."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from data_utils.errors import DataError
from data_utils.sent_photographs import Coloured, from_base64, plain_name, to_base64
from study.serve.colouring import Colouring
from study.serve.guard import TOO_LARGE
from study.serve.limits import Limits

FIELD = "image"
MESSAGES = "messages.txt"
_MESSAGE_HEADER = "X-Message"
_TYPES = {".png": "png", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff", ".bmp": "bmp"}  # else JPEG
_IN_MEMORY = 1 << 20  # bytes of an archive; a larger one lies in a temporary file
_PIECE = 1 << 16
_REFUSED = 422


async def answer_form(request: Request, colouring: Colouring, limits: Limits) -> Response:
    """Files of a form: one is answered with its picture or sentence, several with a ZIP archive."""
    async with _form_files(request, limits) as files:
        if len(files) == 1:
            return _one(await colouring.answer(files[0].filename or "", files[0].file))
        archive: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  closed when it is sent
        names: set[str] = set()
        messages = []
        with zipfile.ZipFile(archive, "w") as zipped:
            for file in files:
                answer = await colouring.answer(file.filename or "", file.file)
                messages += [sentence] if (sentence := _sentence(answer)) else []
                if isinstance(answer, Coloured):
                    zipped.writestr(_unused(answer.name, names), answer.content)
            if messages:
                zipped.writestr(MESSAGES, "".join(f"{one}\n" for one in messages))
    archive.seek(0)
    headers = {"Content-Disposition": 'attachment; filename="coloured.zip"'}
    return StreamingResponse(_pieces(archive), media_type="application/zip", headers=headers)


async def answer_json(request: Request, colouring: Colouring, limits: Limits) -> Response:
    """`{"images": [{"name": …, "image": base64}]}` is answered in kind, with a `message` where there is one."""
    try:
        content = await request.json()
        images = [(plain_name(str(one.get("name", ""))), one["image"]) for one in content["images"]]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise HTTPException(
            400, 'The JSON is not as expected; send {"images": [{"name": "a.jpg", "image": "BASE64"}]}.'
        ) from error
    if len(images) > limits.files:
        raise HTTPException(TOO_LARGE, limits.too_many_files)
    answers = []
    for name, text in images:
        try:
            file = from_base64(name, text)
        except DataError as error:
            answers.append(_entry(name, str(error)))
            continue
        answers.append(_entry(name, await colouring.answer(name, file)))
    return JSONResponse({"images": answers})


@asynccontextmanager
async def _form_files(request: Request, limits: Limits) -> AsyncIterator[list[Any]]:
    """The files of a form; beyond a megabyte each they lie in temporary files, which end with the context."""
    try:
        form = await request.form(max_files=limits.files, max_fields=0)
    except HTTPException as error:
        if error.status_code == TOO_LARGE:
            raise
        if "files" in str(error.detail):
            raise HTTPException(TOO_LARGE, limits.too_many_files) from error
        raise HTTPException(400, _expected()) from error
    try:
        files = [one for one in form.getlist(FIELD) if not isinstance(one, str)]
        if not files:
            raise HTTPException(400, _expected())
        yield files
    finally:
        await form.close()


def _expected() -> str:
    return f"The form is not as expected; send photographs as files of the field {FIELD}."


def _one(answer: Coloured | str) -> Response:
    if isinstance(answer, str):
        return PlainTextResponse(answer, _REFUSED)
    kind = _TYPES.get(Path(answer.name).suffix.lower(), "jpeg")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(answer.name)}"}
    if sentence := _sentence(answer):
        headers[_MESSAGE_HEADER] = quote(sentence, safe=" .,")
    return Response(answer.content, media_type=f"image/{kind}", headers=headers)


def _entry(name: str, answer: Coloured | str) -> dict[str, str]:
    entry = {"name": name}
    if isinstance(answer, Coloured):
        entry = {"name": answer.name, "image": to_base64(answer.content)}
    return {**entry, "message": sentence} if (sentence := _sentence(answer)) else entry


def _sentence(answer: Coloured | str) -> str:
    """What there is to say of a photograph; empty if it is simply coloured."""
    if isinstance(answer, str):
        return answer
    return f"{answer.name} is coloured without its {' and '.join(answer.lost)}." if answer.lost else ""


def _unused(name: str, names: set[str]) -> str:
    """A name that the archive does not hold yet."""
    path, number, chosen = Path(name), 1, name
    while chosen in names or chosen == MESSAGES:
        number += 1
        chosen = f"{path.stem}-{number}{path.suffix}"
    names.add(chosen)
    return chosen


def _pieces(archive: IO[bytes]) -> Iterator[bytes]:
    with archive:
        while piece := archive.read(_PIECE):
            yield piece
