from tools import Server
from tools.mcp.names import address, prefixes, tool_names


def server(name: str, program: str = "notes", **changed: object) -> Server:
    return Server.model_validate({"name": name, "command": [program], **changed})


def names(*servers: Server) -> list[str]:
    found = prefixes(servers)
    return [found[address(each)] for each in servers]


def test_a_name_of_its_own_is_the_prefix() -> None:
    assert names(server("wiki"), server("notes"), server("notebook")) == ["wiki", "notes", "notebook"]


def test_one_server_that_two_goals_use_differently_has_one_name() -> None:
    assert names(server("wiki"), server("wiki", tools=["read"], timeout=5, trusted=True)) == ["wiki", "wiki"]


def test_two_servers_of_one_name_are_told_apart() -> None:
    first, second = names(server("wiki"), server("wiki", "other"))
    assert first != second
    assert first.startswith("wiki_")
    assert names(server("wiki", "other"), server("wiki")) == [second, first], "in whatever order"


def test_names_that_join_to_one_string_are_told_apart() -> None:
    first, second = names(server("a"), server("a_b"))
    assert not set(tool_names(first, ["b_c"])) & set(tool_names(second, ["c"]))


def test_tools_of_one_server_have_names_of_their_own() -> None:
    tools = ["read", "pages/search", "pages search", "x" * 100, "x" * 101]
    found = tool_names("wiki", tools)
    assert sorted(found.values()) == sorted(tools)
    assert found["wiki_read"] == "read"
    assert all(len(name) <= 64 for name in found)


def test_no_tool_is_taken_for_one_of_the_agents_own() -> None:
    assert "switch_goal" not in tool_names("switch", ["goal"])
