"""The clinic's patients: invented names as a waiting room in Klang has them."""

MALAY = """
Nurul Aisyah binti Zulkifli|Ahmad Faiz bin Mohd Noor|Siti Khadijah binti Othman|Muhammad Haziq bin Razali
Farah Nabilah binti Ismail|Mohd Azlan bin Yusof|Aminah binti Abdul Rahman|Khairul Anuar bin Hassan
Nor Hidayah binti Samad|Syafiq bin Kamaruddin|Rohani binti Salleh|Zainal Abidin bin Musa
Puteri Balqis binti Hakim|Iskandar bin Jamaludin|Mariam binti Daud|Hafizuddin bin Ramli
Wan Nur Syuhada binti Wan Ali|Abdul Halim bin Bakar|Che Rosnah binti Awang|Luqman Hakim bin Shukri
Norazlina binti Mat Isa|Amirul Asyraf bin Nordin|Hasnah binti Jusoh|Safwan bin Tajuddin
"""
CHINESE = (
    "陈美玲|林志强|黄淑芬|李国伟|张雅婷|吴家豪|刘慧敏|郑文杰|蔡丽华|杨俊贤|许秀英|何子轩|谢佩珊|罗伟明|曾心怡|梁永康"
)
TAMIL = (
    "முத்துலட்சுமி கணேசன்|ரவிச்சந்திரன் சுப்பிரமணியம்|கவிதா இராமசாமி|பிரகாஷ் முருகையா|லட்சுமி நாராயணன்|"
    "சரவணன் பெருமாள்|மீனாட்சி வேலு|அருண் குமார் தேவராஜ்|ஜெயந்தி மாணிக்கம்|விக்னேஷ் அழகப்பன்|தேவி கிருஷ்ணன்|மணிமாறன் செல்வம்"
)
ENGLISH = "Daniel O'Brien|Priya Nair|Michael Fernandez|Grace Anthony|Harpreet Kaur|Joseph Linggi|Sarah D'Cruz|Kevin Tan"


def patients() -> list[tuple[str, str]]:
    """Name and language of all sixty, the languages mixed as they would queue."""
    groups = {"ms": MALAY.strip().replace("\n", "|"), "zh": CHINESE, "ta": TAMIL, "en": ENGLISH}
    queues = [[(name, language) for name in names.split("|")] for language, names in groups.items()]
    longest = max(map(len, queues))
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
