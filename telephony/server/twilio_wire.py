"""The WebSocket class for Twilio: uvicorn's own, but messages before a bad frame are not lost."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class TwilioWire(WebSocketsSansIOProtocol):
    """uvicorn drops the messages of a TCP segment in which a later frame cannot be read. One
    may be a `stop`, before a close frame with an invalid code.
    """

    def handle_parser_exception(self) -> None:
        """Handle the messages before the bad frame, then end the connection."""
        self.handle_events()
        super().handle_parser_exception()
