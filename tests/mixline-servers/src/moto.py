"""A moto server that answers one request at a time.

S3 creates an object that must not exist yet in one step; moto looks for it and writes it in two, and
two requests at once may both find nothing. What is tested is what happens on S3.
"""

from threading import Lock

from moto import server


class OneAtATime(server.DomainDispatcherApplication):
    turn = Lock()

    def __call__(self, environ, start_response):
        with self.turn:
            return super().__call__(environ, start_response)


server.DomainDispatcherApplication = OneAtATime
server.main()
