"""S3's XML documents: small ones are read with no entities and no DOCTYPE, answers are built as text."""

import re
from collections.abc import Iterable
from html import escape
from xml.etree import ElementTree as ET

from infra.localcloud.r2 import errors

MAX_DOCUMENT_BYTES = 4 << 20
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def parse(body: bytes, root: str) -> ET.Element:
    """A document whose root is `root`, tags without namespace; raises MalformedXML."""
    try:
        text = body.decode()
        if "<!" in text:
            raise errors.MalformedXML
        element = ET.fromstring(text)  # noqa: S314 -- no DOCTYPE, hence no entities
    except (UnicodeDecodeError, ET.ParseError) as error:
        raise errors.MalformedXML from error
    for node in element.iter():
        node.tag = node.tag.rpartition("}")[2]
    if element.tag != root:
        raise errors.MalformedXML
    return element


def required(element: ET.Element, tag: str) -> str:
    """The text of a child; raises MalformedXML when it is missing or empty."""
    text = element.findtext(tag)
    if not text:
        raise errors.MalformedXML
    return text


def tag(name: str, value: str | int | bool) -> str:
    """One element with text."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{_CONTROL.sub(_reference, escape(text, quote=False))}</{name}>"


def group(name: str, children: Iterable[str]) -> str:
    """One element with elements, which are given as text already."""
    return f"<{name}>{''.join(children)}</{name}>"


def document(root: str, children: Iterable[str]) -> bytes:
    return f"{_DECLARATION}<{root}{_NAMESPACE}>{''.join(children)}</{root}>".encode()


def error_document(code: str, message: str) -> bytes:
    """R2's error documents have no namespace."""
    return f"{_DECLARATION}{group('Error', [tag('Code', code), tag('Message', message)])}".encode()


def _reference(match: re.Match[str]) -> str:
    return f"&#x{ord(match[0]):X};"
