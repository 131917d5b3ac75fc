from devserver import failing as failing
from devserver import running as running
from devserver import starting as starting
from devserver import write as write
from terminal_session import terminal as terminal
