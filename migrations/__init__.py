"""The database's history, packaged so that an installed Lockstep can bring a database up to date by itself."""
