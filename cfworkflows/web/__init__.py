"""The web's small globals that TypeScript Workers use: encodings, base64, crypto, console, cloning and waiting.

snake_case is canonical and every camelCase name works too. Each is in a module of its own, which `cfworkflows` imports
on first use. Imports the standard library only; may import `http` and what is below that.
"""
