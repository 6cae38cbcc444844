"""What valid facts are: JSON types, the fast validator, and the validation that has the last word and names every violation."""
