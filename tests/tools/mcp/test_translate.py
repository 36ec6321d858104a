from typing import Any

import pytest
from mcp.types import (
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from tools import ToolError
from tools.mcp.translate import result_of

PAGE = EmbeddedResource(resource=TextResourceContents(uri="notes://1", mime_type="text/plain", text="The page."))
BLOB = EmbeddedResource(resource=BlobResourceContents(uri="notes://2", mime_type="image/png", blob="AAAA"))
LINK = ResourceLink(name="more", uri="https://example.com/more", description="More of it.")
PAGE_TOLD = {"url": "notes://1", "type": "text/plain", "text": "The page."}
LINK_TOLD = {"name": "more", "url": "https://example.com/more", "description": "More of it."}


def result(*content: ContentBlock, **more: Any) -> Any:
    return result_of("notes", CallToolResult(content=list(content), **more))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("19.90", "19.90"),
        ("007", "007"),
        ("true", "true"),
        ('{"price": "19.90"}', {"price": "19.90"}),
        ("[1, 2]", [1, 2]),
        ('{"price": NaN}', '{"price": NaN}'),
        ("{not json", "{not json"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_text_stays_text_unless_it_is_an_object_or_a_list(text: str, read: object) -> None:
    assert result(TextContent(text=text)) == read


def test_resources_and_links_keep_their_text_and_address() -> None:
    assert result(PAGE) == PAGE_TOLD
    assert result(TextContent(text="Found."), PAGE, LINK) == [{"text": "Found."}, PAGE_TOLD, LINK_TOLD]


def test_what_cannot_be_shown_is_told() -> None:
    assert result(BLOB) == {"url": "notes://2", "type": "image/png", "note": "3 bytes, not shown"}
    assert result(ImageContent(data="A" * 4000, mime_type="image/png")) == {
        "type": "image/png",
        "note": "3,000 bytes, not shown",
    }


def test_structure_goes_before_text_and_keeps_the_links_beside_it() -> None:
    assert result(TextContent(text='{"a": 1}'), structured_content={"a": 1}) == {"a": 1}
    assert result(TextContent(text="1"), structured_content={"result": 1}) == 1
    assert result(LINK, structured_content={"a": 1}) == {"result": {"a": 1}, "content": [LINK_TOLD]}


def test_failure_is_told_in_the_servers_words() -> None:
    with pytest.raises(ToolError, match=r"^The MCP server notes reported an error: No luck\.$"):
        result(TextContent(text="No luck."), is_error=True)
