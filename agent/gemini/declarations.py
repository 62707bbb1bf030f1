"""Declares Python functions as tools, by the SDK's own converter."""

from collections.abc import Callable
from typing import Any

from google.genai import types

from agent.conversation.declaration import NO_PARAMETERS, canonical


class NotDeclarable(ValueError):  # noqa: N818 - what it is, not that it is an error
    """A function cannot be declared as a tool: a parameter has no type, or one that no model
    can fill.
    """


def parameters_of(function: Callable[..., Any]) -> str:
    """The JSON Schema of a function's parameters, as text.

    Raises:
        NotDeclarable: The SDK cannot convert its signature.
    """
    try:
        declared = types.FunctionDeclaration.from_callable_with_api_option(
            callable=function, api_option="GEMINI_API", use_json_schema=True
        )
    except (ValueError, TypeError, NameError) as error:  # NameError: an annotation of no known name
        raise NotDeclarable(str(error)) from None
    schema = declared.parameters_json_schema
    text = NO_PARAMETERS if schema is None else canonical(schema)
    if '"$ref"' in text:  # its arguments would come unchecked
        raise NotDeclarable("a parameter is of a class; use str, int, float, bool or list")
    return text
