"""The WebSocket class for Twilio: uvicorn's own, but messages before a bad frame are not lost."""

from contextlib import suppress

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState


class TwilioWire(WebSocketsSansIOProtocol):
    """uvicorn drops the messages of a TCP segment in which a later frame cannot be read. One
    may be a `stop`, before a close frame with an invalid code.
    """

    def handle_parser_exception(self) -> None:
        """Handle the messages before the bad frame, then end the connection."""
        self.handle_events()
        super().handle_parser_exception()

    def send_receive_event_to_app(self) -> None:
        """Hand on a message. If its text is not UTF-8, uvicorn closes the connection, and raises if
        a frame behind it in the TCP segment has done so already.
        """
        with suppress(InvalidState):
            super().send_receive_event_to_app()
