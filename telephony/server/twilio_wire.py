"""What speaks WebSocket to Twilio: uvicorn's own class, but for what comes before a bad frame."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class TwilioWire(WebSocketsSansIOProtocol):
    """uvicorn drops what came in the same segment before a frame that it cannot read. A `stop` may
    be there, in front of a close frame with a code that does not exist.
    """

    def handle_parser_exception(self) -> None:
        """The frame that cannot be read ends the connection, after all those before it."""
        self.handle_events()
        super().handle_parser_exception()
